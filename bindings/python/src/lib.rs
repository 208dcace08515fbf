#![doc = "Python face of comptoir."]
