from convops.assembly import conv_matrix
from convops.geometry import ConvGeometry
