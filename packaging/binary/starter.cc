// The first bytes of the single executable: looks whether what follows can run here, maps it as the kernel would, and
// jumps into the system's dynamic loader. Where a program of this size is cut off, or the C library is too old or
// another one, the kernel and the loader end it with a signal or an unhelpful line; here a sentence says what to do.
//
// It stands in the file before the executable of Node.js, which begins at `kPayload.offset`. No C library: nothing has
// been loaded yet. The layout is that of the ELF specification, the handing over that of the System V ABI.
#include <asm/unistd.h>
#include <elf.h>

namespace {

using Word = unsigned long;

/// Of this kernel, once it has said it.
Word page = 4096;
constexpr Word kMaxHeaders = 64;
constexpr int kReadOnly = 0;
constexpr int kCloseOnExec = 02000000;
constexpr Word kPrivate = 2;
constexpr Word kFixed = 0x10;
constexpr Word kAnonymous = 0x20;

#if defined(RINGMQ_MUSL)
#define C_LIBRARY "musl"
#else
#define C_LIBRARY "glibc"
#define TEXT(value) #value
#define TEXT_OF(value) TEXT(value)
/// The glibc 2.x that is needed, given by the build.
constexpr Word kGlibcMinor = RINGMQ_GLIBC_MINOR;
constexpr char kGlibc[] = "2." TEXT_OF(RINGMQ_GLIBC_MINOR);
/// Its loader says so of itself, from this version on.
constexpr Word kGlibcSays = 33;
constexpr char kVersionText[] = "release version 2.";
#endif

/// Written into the finished file by packaging/binary/executable.mjs, which finds it by its first word.
struct Payload {
  Word mark;
  Word offset;
  Word fileSize;
};
extern "C" {
__attribute__((used)) volatile Payload kPayload = {0x52494e474d515041, 0, 0};
}

#if defined(__x86_64__)
Word call(Word number, Word a = 0, Word b = 0, Word c = 0, Word d = 0, Word e = 0, Word f = 0) {
  Word result;
  register Word r10 asm("r10") = d;
  register Word r8 asm("r8") = e;
  register Word r9 asm("r9") = f;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
Word call(Word number, Word a = 0, Word b = 0, Word c = 0, Word d = 0, Word e = 0, Word f = 0) {
  register Word x8 asm("x8") = number;
  register Word x0 asm("x0") = a;
  register Word x1 asm("x1") = b;
  register Word x2 asm("x2") = c;
  register Word x3 asm("x3") = d;
  register Word x4 asm("x4") = e;
  register Word x5 asm("x5") = f;
  asm volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  return x0;
}
#else
#error "the single executable is made for x86-64 and AArch64"
#endif

bool failed(Word result) { return result > static_cast<Word>(-4096); }

Word lengthOf(const char* text) {
  Word length = 0;
  while (text[length] != 0) length++;
  return length;
}

void say(const char* text) { call(__NR_write, 2, reinterpret_cast<Word>(text), lengthOf(text)); }

[[noreturn]] void end(const char* what, const char* more = "", const char* remedy = "") {
  say("RingMQ: ");
  say(what);
  say(more);
  say(remedy);
  say("\n");
  for (;;) call(__NR_exit_group, 1);
}

[[noreturn]] void damaged() {
  end("this file is not whole: it was cut off, or changed, while it was copied. Copy it again and compare its sha256.");
}

Word openFile(const char* path) {
  return call(__NR_openat, static_cast<Word>(-100), reinterpret_cast<Word>(path), kReadOnly | kCloseOnExec);
}

Word sizeOf(Word file) { return call(__NR_lseek, file, 0, 2); }

void readAt(Word file, Word offset, void* to, Word length) {
  if (call(__NR_pread64, file, reinterpret_cast<Word>(to), length, offset) != length) damaged();
}

Word down(Word address) { return address & ~(page - 1); }
Word up(Word address) { return down(address + page - 1); }

Word protectionOf(Elf64_Word flags) {
  return ((flags & PF_R) != 0 ? 1 : 0) | ((flags & PF_W) != 0 ? 2 : 0) | ((flags & PF_X) != 0 ? 4 : 0);
}

Word map(Word address, Word length, Word protection, Word flags, Word file, Word offset) {
  const Word at = call(__NR_mmap, address, length, protection, flags, file, offset);
  if (failed(at)) end("the system does not map this program into memory: there may not be enough of it.");
  return at;
}

/// One ELF file, at an offset of a file on disk.
struct Image {
  Word file;
  Word offset;
  Elf64_Ehdr header;
  Elf64_Phdr segments[kMaxHeaders];
  /// What is added to its addresses.
  Word base;

  void read() {
    readAt(file, offset, &header, sizeof header);
    const bool isElf = header.e_ident[0] == 0x7f && header.e_ident[1] == 'E' && header.e_ident[4] == ELFCLASS64;
    if (!isElf || header.e_phnum > kMaxHeaders || header.e_phentsize != sizeof(Elf64_Phdr)) damaged();
    readAt(file, offset + header.e_phoff, segments, header.e_phnum * sizeof(Elf64_Phdr));
  }

  const Elf64_Phdr* first(Elf64_Word type) const {
    for (Word i = 0; i < header.e_phnum; i++)
      if (segments[i].p_type == type) return &segments[i];
    return nullptr;
  }

  void load() {
    base = header.e_type == ET_DYN ? reserve() : 0;
    for (Word i = 0; i < header.e_phnum; i++)
      if (segments[i].p_type == PT_LOAD) loadSegment(segments[i]);
  }

  /// Addresses for all of it, wherever there is room.
  Word reserve() const {
    Word last = 0;
    for (Word i = 0; i < header.e_phnum; i++)
      if (segments[i].p_type == PT_LOAD) last = segments[i].p_vaddr + segments[i].p_memsz;
    return map(0, up(last), 0, kPrivate | kAnonymous, static_cast<Word>(-1), 0);
  }

  void loadSegment(const Elf64_Phdr& segment) const {
    const Word protection = protectionOf(segment.p_flags);
    const Word begin = base + segment.p_vaddr;
    const Word fileEnd = begin + segment.p_filesz;
    const Word end = begin + segment.p_memsz;
    const Word flags = kPrivate | kFixed;
    if (segment.p_filesz > 0)
      map(down(begin), fileEnd - down(begin), protection, flags, file, offset + down(segment.p_offset));
    if (end <= fileEnd) return;
    // The rest is zero: the last page to its end, where the loader allocates first, and pages of its own.
    if ((protection & 2) != 0 && segment.p_filesz > 0)
      for (Word at = fileEnd; at < up(fileEnd); at++) *reinterpret_cast<volatile char*>(at) = 0;
    if (up(end) > up(fileEnd))
      map(up(fileEnd), up(end) - up(fileEnd), protection, flags | kAnonymous, static_cast<Word>(-1), 0);
  }

  Word entry() const { return base + header.e_entry; }
};

#if !defined(RINGMQ_MUSL)
/// Behind the text, where the bytes hold it; else null.
const char* behind(const char* bytes, Word length, const char* text) {
  const Word wanted = lengthOf(text);
  for (Word at = 0; at + wanted < length; at++) {
    Word same = 0;
    while (same < wanted && bytes[at + same] == text[same]) same++;
    if (same == wanted) return bytes + at + wanted;
  }
  return nullptr;
}

/// 0 when the loader does not say.
Word glibcMinor(Word loader) {
  const Word length = sizeOf(loader);
  const Word at = map(0, up(length), 1, kPrivate, loader, 0);
  const char* digit = behind(reinterpret_cast<const char*>(at), length, kVersionText);
  Word minor = 0;
  for (; digit != nullptr && *digit >= '0' && *digit <= '9'; digit++) minor = minor * 10 + (*digit - '0');
  call(__NR_munmap, at, up(length));
  return minor;
}
#endif

Word openLoader(const char* path) {
  const Word loader = openFile(path);
  if (failed(loader))
    end("this system has no " C_LIBRARY ", of which the loader would be ", path,
        ". Use a system that has it, a container of one, or RingMQ's npm package.");
#if !defined(RINGMQ_MUSL)
  const Word minor = glibcMinor(loader);
  if (minor == 0 ? kGlibcMinor >= kGlibcSays : minor < kGlibcMinor)
    end("the C library of this system is older than glibc ", kGlibc,
        ". Use a newer system, a container of one, or RingMQ's npm package.");
#endif
  return loader;
}

Word openItself(const char* path) {
  Word file = openFile("/proc/self/exe");
  // There may be no /proc.
  if (failed(file)) file = openFile(path);
  if (failed(file)) end("its own file cannot be read: ", path);
  if (sizeOf(file) != kPayload.fileSize) damaged();
  return file;
}

struct Entry {
  Word type;
  Word value;
};

/// What the kernel has put behind the environment on the stack.
Entry* auxiliary(Word* stack) {
  Word* at = stack + 1 + stack[0] + 1;
  while (*at != 0) at++;
  return reinterpret_cast<Entry*>(at + 1);
}

Word& valueOf(Entry* entries, Word type) {
  for (Entry* at = entries; at->type != AT_NULL; at++)
    if (at->type == type) return at->value;
  end("the kernel has not said where this program is.");
}

Image program;
Image loader;
char loaderPath[256];

}  // namespace

/// Returns where to go on, with the stack as it was.
extern "C" Word begin(Word* stack) {
  Entry* entries = auxiliary(stack);
  page = valueOf(entries, AT_PAGESZ);
  program.file = openItself(reinterpret_cast<const char*>(valueOf(entries, AT_EXECFN)));
  program.offset = kPayload.offset;
  program.read();
  const Elf64_Phdr* path = program.first(PT_INTERP);
  const Elf64_Phdr* headers = program.first(PT_PHDR);
  if (path == nullptr || headers == nullptr || path->p_filesz > sizeof loaderPath) damaged();
  readAt(program.file, program.offset + path->p_offset, loaderPath, path->p_filesz);
  loader.file = openLoader(loaderPath);
  loader.read();
  program.load();
  loader.load();
  call(__NR_close, program.file);
  call(__NR_close, loader.file);
  valueOf(entries, AT_PHDR) = program.base + headers->p_vaddr;
  valueOf(entries, AT_PHNUM) = program.header.e_phnum;
  valueOf(entries, AT_ENTRY) = program.entry();
  valueOf(entries, AT_BASE) = loader.base;
  return loader.entry();
}

#if defined(__x86_64__)
asm(R"(
  .globl _start
  _start:
    xor %ebp, %ebp
    mov %rsp, %rbx
    mov %rsp, %rdi
    and $-16, %rsp
    call begin
    mov %rbx, %rsp
    xor %edx, %edx
    jmp *%rax
)");
#else
asm(R"(
  .globl _start
  _start:
    mov x19, sp
    mov x0, sp
    bl begin
    mov sp, x19
    mov x16, x0
    mov x0, #0
    br x16
)");
#endif
