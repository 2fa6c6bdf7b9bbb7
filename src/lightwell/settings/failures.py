"""What is wrong with the settings, said in a line an operator can act on."""


class SettingsError(ValueError):
    """The settings cannot be used; each line of the message names one variable and what it should hold."""
