"""Written by benchmarks/convolution.py from convolution.json beside it; change neither by hand."""

measured = "AMD EPYC, one thread, n = 7, 2026-11-22"
kernel_sizes = [3, 5, 7, 11, 15, 21, 31]
nanoseconds = {  # of processor time for each sum, median
    "loops on lists": [994.1, 2052.0, 3576.0, 8128.0, 15560.0, 27650.0, 57140.0],
    "loops on an array": [3967.0, 10020.0, 20590.0, 48220.0, 88760.0, 165900.0, 372100.0],
    "shifted slices": [3.309, 8.932, 16.28, 40.18, 75.44, 143.5, 310.3],
    "windows, einsum": [17.28, 30.71, 44.54, 72.88, 109.0, 171.8, 304.3],
    "im2col product": [19.54, 40.32, 95.74, 724.1, 1353.0, 2680.0, 6514.0],
    "FFT, scipy.fft": [10.02, 9.795, 9.951, 8.883, 11.8, 10.86, 11.58],
    "scipy.ndimage": [7.132, 16.02, 34.18, 94.63, 197.8, 399.8, 932.6],
    "PyTorch conv2d": [8.744, 12.8, 20.35, 41.38, 71.23, 133.2, 274.1],
    "cv2.filter2D": [0.7386, 1.511, 2.345, 5.074, 16.25, 16.6, 17.55],
}
loop_rows = {  # rows of sums that the loops computed
    "loops on lists": [510, 188, 96, 39, 21, 11, 5],
    "loops on an array": [510, 188, 96, 39, 21, 11, 5],
}
