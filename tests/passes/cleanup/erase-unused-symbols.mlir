// RUN: irc-opt %s -p erase-unused-operations --allow-unregistered-dialect | filecheck %s

// Any reference counts, wherever in an attribute it is and whatever it means there.
// CHECK-LABEL: builtin.module
// CHECK-NEXT: func.func private @callee(
// CHECK-NEXT: func.func private @listed(
// CHECK-NEXT: func.func private @member(
// CHECK-NEXT: func.func private @behind(
// CHECK-NEXT: func.func @users
func.func private @nobody(i4) -> i4
func.func private @callee(i4) -> i4
func.func private @listed(i4) -> i4
func.func private @member(i4) -> i4
func.func private @behind(i4) -> i4
func.func @users(%x: i4) -> i4 {
  %0 = "test.use"(%x) {callee = @callee} : (i4) -> i4
  %1 = "test.use"(%0) {table = [{entry = @listed}, 3 : i4]} : (i4) -> i4
  %2 = "test.use"(%1) <{path = @member::@behind}> : (i4) -> i4
  func.return %2 : i4
}

// What is read inside a region is read.
// CHECK-LABEL: hw.module @regions
// CHECK-NEXT:   %[[S:.*]] = comb.add %a, %a
// CHECK-NEXT:   "test.region"
// CHECK-NEXT:     "test.read"(%[[S]])
hw.module @regions(in %a : i4, out y : i4) {
  %0 = comb.add %a, %a : i4
  "test.region"() ({
    "test.read"(%0) : (i4) -> ()
  }) : () -> ()
  hw.output %a : i4
}
