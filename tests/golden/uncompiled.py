"""torchvision without its compiled operators.

Its losses are plain Python, but on import it describes operators that are there with torch's CUDA build only.
"""

import sys
from types import ModuleType

sys.modules["torchvision._meta_registrations"] = ModuleType("torchvision._meta_registrations")
