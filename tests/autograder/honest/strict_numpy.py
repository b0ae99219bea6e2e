"""Has NumPy raise on every floating-point error and print differently; both are settings of the whole process."""

BEFORE = {
    "output-size": "np.seterr(all='raise')\nnp.set_printoptions(precision=2, suppress=True, threshold=5)",
}
