/*
 * Where a new stack begins: coro_prepare has put its address where coro_jump goes on. What
 * is left of the jump there is the coroutine, in the register of its second argument. It is
 * passed on to coro_begin, which does not return; unwinders end here.
 */

#if defined(__x86_64__)

#	ifdef __CET__
#		include <cet.h>
#	else
#		define _CET_ENDBR
#	endif

	.text
	.globl	coro_asm_entry
	.hidden	coro_asm_entry
	.type	coro_asm_entry, @function
	.p2align 4
coro_asm_entry:
	.cfi_startproc
	.cfi_undefined %rip
	_CET_ENDBR
	movq	%rsi, %rdi
	call	coro_begin
	ud2
	.cfi_endproc
	.size	coro_asm_entry, .-coro_asm_entry

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
