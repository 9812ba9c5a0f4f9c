/*
 * Leaving a stack for another one, by a few instructions in the function that leaves it.
 *
 * Not a function that is called: the processor foretells where a return goes from the calls
 * that it has seen, and every return from a function that was entered on another stack is
 * foretold wrong, for a dozen nanoseconds. So where the stack is left, its pointer, its frame
 * and its place are stored, the other's are loaded, and it is jumped to; what else a call
 * would preserve the compiler is told to save, where there is anything to save. The floating
 * point control words stay as they are, as with setjmp. x86-64 (System V) and AArch64
 * (AAPCS64).
 *
 * What a call does not preserve depends on what the compiler may use: registers that came
 * with later processors are named where it knows of them.
 *
 * A new stack begins at coro_asm_entry (coro_asm.S), which is given its coroutine.
 *
 * Debug mode's signal may come anywhere. Between the new stack pointer and the jump the
 * tables of the function that is left would be read with the other's stack: there they say
 * that nobody called.
 */
#ifndef RUNTIME_CORO_JUMP_H
#define RUNTIME_CORO_JUMP_H

#include <stddef.h>

#ifdef __GCC_HAVE_DWARF2_CFI_ASM
#	define CORO_CFI_NOWHERE(pc) ".cfi_remember_state\n\t.cfi_undefined " pc "\n\t"
#	define CORO_CFI_HERE        ".cfi_restore_state\n\t"
#else
#	define CORO_CFI_NOWHERE(pc) ""
#	define CORO_CFI_HERE        ""
#endif

/* where a coroutine that is not running goes on */
struct coro_place {
	void *sp, *fp;
	const void *pc;
};

#if defined(__x86_64__)

/* Neither is preserved by a call, nor may it be named where the processor has none. */
#	ifdef __AVX512F__
#		define CORO_WIDE_REGISTERS                                           \
			, "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21",       \
				"xmm22", "xmm23", "xmm24", "xmm25", "xmm26", "xmm27", \
				"xmm28", "xmm29", "xmm30", "xmm31", "k0", "k1", "k2", \
				"k3", "k4", "k5", "k6", "k7"
#	else
#		define CORO_WIDE_REGISTERS
#	endif
#	ifdef __APX_F__
#		define CORO_MORE_REGISTERS                                       \
			, "r16", "r17", "r18", "r19", "r20", "r21", "r22", "r23", \
				"r24", "r25", "r26", "r27", "r28", "r29", "r30", "r31"
#	else
#		define CORO_MORE_REGISTERS
#	endif

static inline __attribute__((always_inline)) void coro_jump(
	struct coro_place *from, const struct coro_place *to)
{
	__asm__ volatile("leaq 1f(%%rip), %%rax\n\t"
			 "movq %%rsp, 0(%%rdi)\n\t"
			 "movq %%rbp, 8(%%rdi)\n\t"
			 "movq %%rax, 16(%%rdi)\n\t"
			 "movq 0(%%rsi), %%rsp\n\t" CORO_CFI_NOWHERE(
				 "%%rip") "movq 8(%%rsi), %%rbp\n\t"
					  "jmpq *16(%%rsi)\n\t"
					  ".p2align 4\n"
					  "1:\n\t" CORO_CFI_HERE "endbr64"
			 : "+D"(from), "+S"(to)
			 :
			 : "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12",
			 "r13", "r14", "r15", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4",
			 "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11",
			 "xmm12", "xmm13", "xmm14", "xmm15", "st", "st(1)", "st(2)",
			 "st(3)", "st(4)", "st(5)", "st(6)", "st(7)", "cc",
			 "memory" CORO_WIDE_REGISTERS CORO_MORE_REGISTERS);
}

#elif defined(__aarch64__)

/* v0 to v31 are the whole of SVE's z0 to z31 */
#	ifdef __ARM_FEATURE_SVE
#		define CORO_WIDE_REGISTERS                                           \
			, "p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9", \
				"p10", "p11", "p12", "p13", "p14", "p15"
#	else
#		define CORO_WIDE_REGISTERS
#	endif

static inline __attribute__((always_inline)) void coro_jump(
	struct coro_place *from_, const struct coro_place *to_)
{
	register struct coro_place *from __asm__("x0") = from_;
	register const struct coro_place *to __asm__("x1") = to_;

	__asm__ volatile(
		"adr x9, 1f\n\t"
		"mov x10, sp\n\t"
		"stp x10, x29, [x0]\n\t"
		"str x9, [x0, #16]\n\t"
		"ldp x10, x29, [x1]\n\t" CORO_CFI_NOWHERE("x30") "ldr x9, [x1, #16]\n\t"
								 "mov sp, x10\n\t"
								 "br x9\n\t"
								 ".p2align 4\n"
								 "1:\n\t" CORO_CFI_HERE
								 "hint #36" /* bti j */
		: "+r"(from), "+r"(to)
		:
		: "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12",
		"x13", "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21", "x22",
		"x23", "x24", "x25", "x26", "x27", "x28", "x30", "v0", "v1", "v2", "v3",
		"v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14",
		"v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24",
		"v25", "v26", "v27", "v28", "v29", "v30", "v31", "cc",
		"memory" CORO_WIDE_REGISTERS);
}

#endif

#endif
