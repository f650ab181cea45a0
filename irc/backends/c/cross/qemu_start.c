/* Where the program begins under an emulator of processes: main, then the call to exit. */

#if defined(__arm__)
__asm__(
    ".section .text._start, \"ax\", %progbits\n"
    ".syntax unified\n"
    ".thumb\n"
    ".global _start\n"
    ".type _start, %function\n"
    ".thumb_func\n"
    "_start:\n"
    "    bl main\n"
    "    movs r7, #1\n"
    "    svc 0\n");
#else
__asm__(
    ".section .text._start, \"ax\", @progbits\n"
    ".global _start\n"
    ".type _start, @function\n"
    "_start:\n"
    "    call main\n"
    "    li a7, 93\n"
    "    ecall\n");
#endif
