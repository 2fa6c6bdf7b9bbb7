"""IN, by the browser: the built pages as a single page application, or one small page until there are any."""

from lightwell.ui.landing import LandingPage
from lightwell.ui.static import SPAStaticFiles

__all__ = ["LandingPage", "SPAStaticFiles"]
