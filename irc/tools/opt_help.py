"""What `irc-opt --help` says before and after its options."""

DESCRIPTION = """\
Read a neural network or its IR, run passes on it, and print the result.

The input is an ONNX model (.onnx) or IR text (.mlir, or standard input). The result goes to
standard output or to the file given with -o, everything else to standard error.
"""

EXAMPLES = """\
examples: levels and passes
  irc-opt net.onnx                            the model as the compiler reads it
  irc-opt net.onnx --elide-large-constants    the same without a screenful of weights
  irc-opt net.onnx --compile-to=bnn --input 0=uint8/255
                                              down to integers; the input is a uint8 / 255
  irc-opt net.onnx --compile-to=hw -t 'verilog{top=net}' -o net.v
  irc-opt net.onnx --compile-to=packed -t 'c{name=net}' -o net.c
  irc-opt layer.mlir --compile-from=bnn --compile-to=packed
                                              from a level that must be there
  irc-opt layer.mlir -p 'canonicalize,fold-thresholds'
                                              chosen passes, in this order
  irc-opt layer.mlir -p 'declare-inputs{inputs="0=uint8/255"}'
                                              a pass with an option
  irc-opt layer.mlir --load my_pass.py -p my-pass
                                              a pass of your own, from a Python file
  irc-opt --explain fold-thresholds           what a pass does, its options, an example

examples: watching
  irc-opt net.onnx --compile-to=bnn --print-ir-after-change > /dev/null
                                              the IR after each pass that changed it, and the diff
  irc-opt net.onnx --compile-to=bnn --print-ir-before=fold-thresholds \\
          --print-ir-after=fold-thresholds > /dev/null
                                              the IR on both sides of one pass
  cat layer.mlir | irc-opt -p fold-thresholds --timing --pass-statistics

examples: finding what is wrong
  irc-opt net.onnx --compile-to=hw --crash-reproducer crash.mlir
                                              keep what the failing pass was given
  irc-opt --run-reproducer crash.mlir         and run that pass again
  irc-opt net.onnx --compile-to=bnn --pass-limit 5
                                              only the first five passes
  irc-opt net.onnx --compile-to=bnn --bisect './check.sh'
                                              the first pass after which check.sh FILE fails
  irc-opt net.onnx --compile-to=bnn --check-each
                                              every pass must leave the answers as they were
  irc-opt net.onnx --compile-to=bnn --explain-rejections > /dev/null
                                              which rewrites nearly matched, and what stopped them
  irc-opt errors.mlir -p fold-thresholds --split-input-file --verify-diagnostics
                                              the errors are those that the file expects

exit code: 0 done, 1 the input or a pass failed, 2 wrong usage.
docs/irc-opt.md shows all of these at work.
"""
