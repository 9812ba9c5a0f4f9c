/*
 * Leaving a stack for another one: what a call preserves goes on the stack that is left,
 * and comes from the one that is entered. x86-64 (System V) and AArch64 (AAPCS64).
 *
 *	void coro_asm_switch(void **from, void *to)
 *
 * stores the stack pointer in *from and goes on at to, which an earlier call has stored or
 * which points at a frame made by coro_prepare. The floating point control words stay as
 * they are, as with setjmp.
 *
 * coro_asm_entry is where such a made frame begins: it calls a function that never returns.
 */

#if defined(__x86_64__)

#	ifdef __CET__
#		include <cet.h>
#	else
#		define _CET_ENDBR
#	endif

	.text
	.globl	coro_asm_switch
	.hidden	coro_asm_switch
	.type	coro_asm_switch, @function
	.p2align 4
coro_asm_switch:
	.cfi_startproc
	_CET_ENDBR
	pushq	%rbp
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %rbp, 0
	pushq	%rbx
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %rbx, 0
	pushq	%r12
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %r12, 0
	pushq	%r13
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %r13, 0
	pushq	%r14
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %r14, 0
	pushq	%r15
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %r15, 0
	movq	%rsp, (%rdi)
	movq	%rsi, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	.cfi_def_cfa_offset 8
	ret
	.cfi_endproc
	.size	coro_asm_switch, .-coro_asm_switch

	/* %r12: the function, %r13: its argument */
	.globl	coro_asm_entry
	.hidden	coro_asm_entry
	.type	coro_asm_entry, @function
	.p2align 4
coro_asm_entry:
	.cfi_startproc
	.cfi_undefined %rip
	_CET_ENDBR
	movq	%r13, %rdi
	call	*%r12
	ud2
	.cfi_endproc
	.size	coro_asm_entry, .-coro_asm_entry

#elif defined(__aarch64__)

	.text
	.globl	coro_asm_switch
	.hidden	coro_asm_switch
	.type	coro_asm_switch, %function
	.p2align 4
coro_asm_switch:
	.cfi_startproc
	hint	#34 /* bti c */
	sub	sp, sp, #160
	.cfi_adjust_cfa_offset 160
	stp	x19, x20, [sp, #0]
	stp	x21, x22, [sp, #16]
	stp	x23, x24, [sp, #32]
	stp	x25, x26, [sp, #48]
	stp	x27, x28, [sp, #64]
	stp	x29, x30, [sp, #80]
	.cfi_rel_offset x29, 80
	.cfi_rel_offset x30, 88
	stp	d8, d9, [sp, #96]
	stp	d10, d11, [sp, #112]
	stp	d12, d13, [sp, #128]
	stp	d14, d15, [sp, #144]
	mov	x9, sp
	str	x9, [x0]
	mov	sp, x1
	ldp	x19, x20, [sp, #0]
	ldp	x21, x22, [sp, #16]
	ldp	x23, x24, [sp, #32]
	ldp	x25, x26, [sp, #48]
	ldp	x27, x28, [sp, #64]
	ldp	x29, x30, [sp, #80]
	ldp	d8, d9, [sp, #96]
	ldp	d10, d11, [sp, #112]
	ldp	d12, d13, [sp, #128]
	ldp	d14, d15, [sp, #144]
	add	sp, sp, #160
	.cfi_adjust_cfa_offset -160
	ret
	.cfi_endproc
	.size	coro_asm_switch, .-coro_asm_switch

	/* x19: the function, x20: its argument */
	.globl	coro_asm_entry
	.hidden	coro_asm_entry
	.type	coro_asm_entry, %function
	.p2align 4
coro_asm_entry:
	.cfi_startproc
	.cfi_undefined x30
	hint	#36 /* bti j */
	mov	x0, x20
	blr	x19
	brk	#1
	.cfi_endproc
	.size	coro_asm_entry, .-coro_asm_entry

#endif

	.section .note.GNU-stack, "", %progbits
