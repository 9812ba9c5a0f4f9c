/*
 * Where a new stack begins: coro_prepare has put its address where coro_jump goes on. What
 * is left of the jump there is the coroutine, in the register of its second argument. It is
 * passed on to coro_begin, which does not return; unwinders end here.
 */

#if defined(__x86_64__)

#	ifdef __CET__
#		define ENDBR endbr64
#	else
#		define ENDBR
#	endif

	.text
	.globl	coro_asm_entry
	.hidden	coro_asm_entry
	.type	coro_asm_entry, @function
	.p2align 4
coro_asm_entry:
	.cfi_startproc
	.cfi_undefined %rip
	ENDBR
	movq	%rsi, %rdi
	call	coro_begin
	ud2
	.cfi_endproc
	.size	coro_asm_entry, .-coro_asm_entry

/*
 * Jumps land where they may, but a shadow stack would stay that of the stack that was left:
 * of the two that <cet.h> claims only the first is true (GNU_PROPERTY_X86_FEATURE_1_AND,
 * IBT). The linker claims for the whole what all of its parts do.
 */
#	if defined(__CET__) && (__CET__ & 1)
	.section .note.gnu.property, "a"
	.p2align 3
	.long	4, 16, 5
	.asciz	"GNU"
	.long	0xc0000002, 4, 1, 0
#	endif

#elif defined(__aarch64__)

	.text
	.globl	coro_asm_entry
	.hidden	coro_asm_entry
	.type	coro_asm_entry, %function
	.p2align 4
coro_asm_entry:
	.cfi_startproc
	.cfi_undefined x30
	hint	#36 /* bti j */
	mov	x0, x1
	bl	coro_begin
	brk	#1
	.cfi_endproc
	.size	coro_asm_entry, .-coro_asm_entry

#endif

	.section .note.GNU-stack, "", %progbits
