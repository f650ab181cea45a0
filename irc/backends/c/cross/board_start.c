/* What the test program of a model is called by, and calls, on an emulated board.

   IRC_FUNCTION is the model's function, IRC_FRAMES how many calls of it are wanted. The test
   program, compiled to call irc_called and irc_printf instead, talks to the emulator by Arm's
   semihosting (its operations: "Semihosting for AArch32 and AArch64", section 6). */

#include <stdint.h>

#define STACK_TOP 0x20080000
#define STACK_BYTES 0x40000
#define PATTERN 0x3cc35aa5

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)

int main(void);
int irc_printf(const char *format, ...);
void irc_reset(void);
void irc_finish(void);
void irc_fault(void);

uint32_t irc_saved[4], irc_deepest, irc_calls;
static unsigned complaints;

static void host(unsigned operation, const void *argument)
{
    register unsigned r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory", "cc");
}

static void say(const char *name, unsigned value)
{
    char digits[12];
    char *at = &digits[11];
    *at = '\0';
    *--at = '\n';
    do {
        *--at = (char)('0' + value % 10u);
        value /= 10u;
    } while (value > 0);
    host(0x04, name);
    host(0x04, at);
}

void irc_finish(void)
{
    say("irc-stack ", irc_deepest);
    say("irc-complaints ", complaints);
    host(0x18, (const void *)0x20026);
    for (;;) {
    }
}

void irc_fault(void)
{
    host(0x04, "irc-fault\n");
    host(0x18, (const void *)0x20026);
    for (;;) {
    }
}

/* The test program prints one line for each wrong value, each beginning `frame`. */
int irc_printf(const char *format, ...)
{
    complaints += format[0] == 'f' && format[1] == 'r';
    return 0;
}

__attribute__((section(".vectors"), used)) static const void *const vectors[16] = {
    (const void *)STACK_TOP,
    (const void *)irc_reset,
    (const void *)irc_fault,
    (const void *)irc_fault,
    (const void *)irc_fault,
    (const void *)irc_fault,
    (const void *)irc_fault,
    (const void *)irc_fault,
};

void irc_reset(void)
{
    /* CPACR: coprocessors 10 and 11, which are the vector unit. */
    *(volatile uint32_t *)0xE000ED88 = 0xFu << 20;
    __asm__ volatile("dsb\n\tisb" : : : "memory");
    /* Its end is looked for no further than what was asked for. */
    say("irc-verdict ", (unsigned)main());
    irc_finish();
}

/* Calls the model's function with the stack below painted, and with the same arguments, of which
   some may lie on the stack: nothing is pushed. Then looks for the deepest word that changed. */
__asm__(
    ".section .text.irc_called, \"ax\", %progbits\n"
    ".syntax unified\n"
    ".thumb\n"
    ".global irc_called\n"
    ".type irc_called, %function\n"
    ".thumb_func\n"
    "irc_called:\n"
    "    ldr r12, =irc_saved\n"
    "    stmia r12, {r4, r5, r6, lr}\n"
    "    ldr r12, =irc_calls\n"
    "    ldr r4, [r12]\n"
    "    cmp r4, #" TEXT(IRC_FRAMES) "\n"
    "    beq.w irc_finish\n"
    "    adds r4, #1\n"
    "    str r4, [r12]\n"
    "    ldr r4, =" TEXT(STACK_TOP) " - " TEXT(STACK_BYTES) "\n"
    "    ldr r5, =" TEXT(PATTERN) "\n"
    "    mov r6, sp\n"
    "1:  str r5, [r4], #4\n"
    "    cmp r4, r6\n"
    "    bne 1b\n"
    "    bl " TEXT(IRC_FUNCTION) "\n"
    "    ldr r4, =" TEXT(STACK_TOP) " - " TEXT(STACK_BYTES) "\n"
    "2:  cmp r4, r6\n"
    "    beq 3f\n"
    "    ldr r12, [r4]\n"
    "    cmp r12, r5\n"
    "    bne 3f\n"
    "    adds r4, #4\n"
    "    b 2b\n"
    "3:  subs r4, r6, r4\n"
    "    ldr r12, =irc_deepest\n"
    "    ldr r5, [r12]\n"
    "    cmp r4, r5\n"
    "    it hi\n"
    "    strhi r4, [r12]\n"
    "    ldr r12, =irc_saved\n"
    "    ldmia r12, {r4, r5, r6, pc}\n"
    "    .ltorg\n");
