"""The look "onnx": runs networks made elsewhere, exported to ONNX, in onnxruntime as their manifest says.

manifest.py   what a manifest can say of a network's input and output
model.py      an ONNX file: what it reads beside itself, whether it fits its manifest, one picture through it
colours.py    CIELAB and Y'CbCr as such networks use them
session.py    an onnxruntime session on one device
generator.py  the look's generator
look.py       its settings and what it takes
"""
