"""The look "onnx": networks of other houses, exported to ONNX, run by onnxruntime as their manifest says.

manifest.py   what a manifest can say of a network's input and output
model.py      an ONNX file: what it reads beside itself, whether it fits its manifest, one picture through it
colours.py    CIELAB and Y'CbCr as such networks use them
look.py       the look
"""
