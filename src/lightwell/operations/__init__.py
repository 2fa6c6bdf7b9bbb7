"""What can be done: writes, one verb a function, one transaction each; who may do it is the edges' business."""
