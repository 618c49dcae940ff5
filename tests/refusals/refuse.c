/* Lets calls of the file system fail that would have succeeded, below one folder.
 *
 * To be loaded with LD_PRELOAD; tests/refusals/__init__.py compiles it and sets its variables:
 *
 *   REFUSE_BELOW   the folder; calls elsewhere are never touched
 *   REFUSE_LOG     a file outside of it, which gets a line for each call below the folder
 *   REFUSE_COUNTS  a file of 8 * MOST_ORDERS bytes, all zero: how often each order was met
 *   REFUSE_ORDERS  lines of four fields with tabs between them: kind of call, pattern of the path
 *                  below the folder, which one of these calls (0: each), and the error's number
 *   REFUSE_WHOLE_SECONDS   set: dates of files keep no fraction of a second
 *
 * The counts are shared by all processes that inherit the variables. A call that makes a process,
 * or a pipe to one, has no path; its path here is "-".
 */
#define _GNU_SOURCE
#undef _FORTIFY_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define MOST_ORDERS 16
#define LONGEST (2 * PATH_MAX)

struct order {
    char kind[32];
    char pattern[PATH_MAX];
    long which;
    int number;
};

static char below[PATH_MAX];
static size_t below_length;
static const char *log_path;
static struct order orders[MOST_ORDERS];
static int order_count;
static int64_t *counts;
static int whole_seconds;

static void read_orders(const char *text)
{
    while (text && *text && order_count < MOST_ORDERS) {
        struct order *order = &orders[order_count];
        if (sscanf(text, "%31[^\t]\t%4095[^\t]\t%ld\t%d", order->kind, order->pattern,
                   &order->which, &order->number) == 4)
            order_count++;
        text = strchr(text, '\n');
        if (text)
            text++;
    }
}

__attribute__((constructor)) static void begin(void)
{
    const char *folder = getenv("REFUSE_BELOW"), *shared = getenv("REFUSE_COUNTS");
    if (!folder || !*folder)
        return;
    snprintf(below, sizeof below, "%s", folder);
    below_length = strlen(below);
    log_path = getenv("REFUSE_LOG");
    whole_seconds = getenv("REFUSE_WHOLE_SECONDS") != NULL;
    read_orders(getenv("REFUSE_ORDERS"));
    if (shared && order_count) {
        int fd = syscall(SYS_openat, AT_FDCWD, shared, O_RDWR | O_CLOEXEC);
        if (fd >= 0) {
            void *map = mmap(NULL, MOST_ORDERS * sizeof *counts, PROT_READ | PROT_WRITE,
                             MAP_SHARED, fd, 0);
            counts = map == MAP_FAILED ? NULL : map;
            syscall(SYS_close, fd);
        }
    }
}

static const char *below_of(const char *path)
{
    if (!below_length || strncmp(path, below, below_length))
        return NULL;
    if (!path[below_length])
        return ".";
    return path[below_length] == '/' ? path + below_length + 1 : NULL;
}

static ssize_t path_of_fd(int fd, char *into)
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, into, LONGEST - 1);
    if (length >= 0)
        into[length] = 0;
    return length;
}

/* The path below the folder, in a buffer of LONGEST bytes; NULL for any other path. */
static const char *place(int dirfd, const char *path, char *buffer)
{
    if (!below_length || !path)
        return NULL;
    if (path[0] == '/')
        return below_of(path);
    if (dirfd == AT_FDCWD) {
        if (syscall(SYS_getcwd, buffer, PATH_MAX) < 0)
            return NULL;
    } else if (path_of_fd(dirfd, buffer) < 0)
        return NULL;
    size_t length = strlen(buffer);
    if (*path)
        snprintf(buffer + length, LONGEST - length, "/%s", path);
    return below_of(buffer);
}

static const char *place_of_fd(int fd, char *buffer)
{
    if (!below_length || path_of_fd(fd, buffer) < 0)
        return NULL;
    return below_of(buffer);
}

static void note(const char *mark, const char *kind, const char *path)
{
    char line[LONGEST + 64];
    int length = snprintf(line, sizeof line, "%s\t%s\t%s\n", mark, kind, path);
    int fd = syscall(SYS_openat, AT_FDCWD, log_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return;
    syscall(SYS_write, fd, line, length);
    syscall(SYS_close, fd);
}

/* Whether the call is to fail; then errno says how. */
static int refused(const char *kind, const char *path)
{
    if (!path)
        return 0;
    int kept = errno, number = 0;
    for (int at = 0; at < order_count && !number; at++) {
        struct order *order = &orders[at];
        if (strcmp(order->kind, kind) || fnmatch(order->pattern, path, 0))
            continue;
        int64_t count = counts ? __atomic_add_fetch(&counts[at], 1, __ATOMIC_SEQ_CST) : 0;
        if (!order->which || order->which == count)
            number = order->number;
    }
    if (log_path)
        note(number ? "refused" : "let through", kind, path);
    errno = number ? number : kept;
    return number;
}

#define NEXT(type, name, ...)                                                                      \
    static type (*next)(__VA_ARGS__);                                                              \
    if (!next)                                                                                     \
    next = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

#define BUFFER char buffer[LONGEST]

/* Opening. A file that is made is another kind, as other errors belong to it. */
#define OPENING(flags) ((flags) & (O_CREAT | O_WRONLY | O_RDWR) ? "create" : "open")
#define MODE(flags)                                                                                \
    mode_t mode = 0;                                                                               \
    if ((flags) & (O_CREAT | O_TMPFILE)) {                                                         \
        va_list rest;                                                                              \
        va_start(rest, flags);                                                                     \
        mode = va_arg(rest, mode_t);                                                               \
        va_end(rest);                                                                              \
    }

#define OPEN(name)                                                                                 \
    int name(const char *path, int flags, ...)                                                     \
    {                                                                                              \
        BUFFER;                                                                                    \
        MODE(flags)                                                                                \
        NEXT(int, #name, const char *, int, ...);                                                  \
        return refused(OPENING(flags), place(AT_FDCWD, path, buffer)) ? -1                         \
                                                                      : next(path, flags, mode);   \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                                               \
    int name(int dirfd, const char *path, int flags, ...)                                          \
    {                                                                                              \
        BUFFER;                                                                                    \
        MODE(flags)                                                                                \
        NEXT(int, #name, int, const char *, int, ...);                                             \
        return refused(OPENING(flags), place(dirfd, path, buffer))                                 \
                   ? -1                                                                            \
                   : next(dirfd, path, flags, mode);                                               \
    }
OPENAT(openat)
OPENAT(openat64)

DIR *opendir(const char *path)
{
    BUFFER;
    NEXT(DIR *, "opendir", const char *);
    return refused("opendir", place(AT_FDCWD, path, buffer)) ? NULL : next(path);
}

/* Calls with a descriptor first. */
#define WITH_FD(type, name, kind, parameters, arguments, ...)                                      \
    type name parameters                                                                           \
    {                                                                                              \
        BUFFER;                                                                                    \
        NEXT(type, #name, __VA_ARGS__);                                                            \
        return refused(kind, place_of_fd(fd, buffer)) ? -1 : next arguments;                       \
    }
WITH_FD(ssize_t, read, "read", (int fd, void *into, size_t size), (fd, into, size), int, void *,
        size_t)
WITH_FD(ssize_t, pread64, "read", (int fd, void *into, size_t size, off64_t at),
        (fd, into, size, at), int, void *, size_t, off64_t)
WITH_FD(ssize_t, write, "write", (int fd, const void *from, size_t size), (fd, from, size), int,
        const void *, size_t)
WITH_FD(ssize_t, pwrite64, "write", (int fd, const void *from, size_t size, off64_t at),
        (fd, from, size, at), int, const void *, size_t, off64_t)
WITH_FD(ssize_t, writev, "write", (int fd, const struct iovec *parts, int count),
        (fd, parts, count), int, const struct iovec *, int)
WITH_FD(int, fsync, "fsync", (int fd), (fd), int)
WITH_FD(int, fdatasync, "fsync", (int fd), (fd), int)
WITH_FD(int, flock, "flock", (int fd, int what), (fd, what), int, int)
WITH_FD(int, ftruncate, "truncate", (int fd, off_t size), (fd, size), int, off_t)
WITH_FD(int, ftruncate64, "truncate", (int fd, off64_t size), (fd, size), int, off64_t)
WITH_FD(int, fchmod, "chmod", (int fd, mode_t mode), (fd, mode), int, mode_t)
WITH_FD(int, fstat, "fstat", (int fd, struct stat *into), (fd, into), int, struct stat *)
WITH_FD(int, fstat64, "fstat", (int fd, struct stat64 *into), (fd, into), int, struct stat64 *)

int close(int fd)
{
    BUFFER;
    NEXT(int, "close", int);
    const char *path = place_of_fd(fd, buffer);
    int number = refused("close", path), done = next(fd); /* it is closed in any case */
    if (!number)
        return done;
    errno = number;
    return -1;
}

/* Calls with a path first. */
#define WITH_PATH(type, name, kind, parameters, arguments, ...)                                    \
    type name parameters                                                                           \
    {                                                                                              \
        BUFFER;                                                                                    \
        NEXT(type, #name, __VA_ARGS__);                                                            \
        return refused(kind, place(AT_FDCWD, path, buffer)) ? -1 : next arguments;                 \
    }
WITH_PATH(int, unlink, "unlink", (const char *path), (path), const char *)
WITH_PATH(int, rmdir, "rmdir", (const char *path), (path), const char *)
WITH_PATH(int, mkdir, "mkdir", (const char *path, mode_t mode), (path, mode), const char *, mode_t)
WITH_PATH(int, chmod, "chmod", (const char *path, mode_t mode), (path, mode), const char *, mode_t)
WITH_PATH(int, stat, "stat", (const char *path, struct stat *into), (path, into), const char *,
          struct stat *)
WITH_PATH(int, stat64, "stat", (const char *path, struct stat64 *into), (path, into), const char *,
          struct stat64 *)
WITH_PATH(int, lstat, "stat", (const char *path, struct stat *into), (path, into), const char *,
          struct stat *)
WITH_PATH(int, lstat64, "stat", (const char *path, struct stat64 *into), (path, into),
          const char *, struct stat64 *)
WITH_PATH(int, statvfs, "statvfs", (const char *path, struct statvfs *into), (path, into),
          const char *, struct statvfs *)
WITH_PATH(int, statvfs64, "statvfs", (const char *path, struct statvfs64 *into), (path, into),
          const char *, struct statvfs64 *)

#define AT_PATH(name, kind, parameters, arguments, ...)                                            \
    int name parameters                                                                            \
    {                                                                                              \
        BUFFER;                                                                                    \
        NEXT(int, #name, __VA_ARGS__);                                                             \
        return refused(kind, place(dirfd, path, buffer)) ? -1 : next arguments;                    \
    }
AT_PATH(unlinkat, "unlink", (int dirfd, const char *path, int flags), (dirfd, path, flags), int,
        const char *, int)
AT_PATH(mkdirat, "mkdir", (int dirfd, const char *path, mode_t mode), (dirfd, path, mode), int,
        const char *, mode_t)
AT_PATH(fstatat, "stat", (int dirfd, const char *path, struct stat *into, int flags),
        (dirfd, path, into, flags), int, const char *, struct stat *, int)
AT_PATH(fstatat64, "stat", (int dirfd, const char *path, struct stat64 *into, int flags),
        (dirfd, path, into, flags), int, const char *, struct stat64 *, int)
AT_PATH(statx, "stat",
        (int dirfd, const char *path, int flags, unsigned int mask, struct statx *into),
        (dirfd, path, flags, mask, into), int, const char *, int, unsigned int, struct statx *)

/* Programs that were built for an older libc ask in this way. */
int __xstat64(int version, const char *path, struct stat64 *into)
{
    (void)version;
    return stat64(path, into);
}

int __lxstat64(int version, const char *path, struct stat64 *into)
{
    (void)version;
    return lstat64(path, into);
}

int __fxstat64(int version, int fd, struct stat64 *into)
{
    (void)version;
    return fstat64(fd, into);
}

int utimensat(int dirfd, const char *path, const struct timespec times[2], int flags)
{
    BUFFER;
    NEXT(int, "utimensat", int, const char *, const struct timespec *, int);
    const char *found = place(dirfd, path, buffer);
    if (refused("utime", found))
        return -1;
    if (!found || !whole_seconds || !times)
        return next(dirfd, path, times, flags);
    struct timespec whole[2] = {times[0], times[1]};
    whole[0].tv_nsec = whole[1].tv_nsec = 0;
    return next(dirfd, path, whole, flags);
}

/* The path is the one that the file gets. */
int rename(const char *from, const char *path)
{
    BUFFER;
    NEXT(int, "rename", const char *, const char *);
    return refused("rename", place(AT_FDCWD, path, buffer)) ? -1 : next(from, path);
}

int renameat(int from_dirfd, const char *from, int dirfd, const char *path)
{
    BUFFER;
    NEXT(int, "renameat", int, const char *, int, const char *);
    return refused("rename", place(dirfd, path, buffer)) ? -1 : next(from_dirfd, from, dirfd, path);
}

int link(const char *from, const char *path)
{
    BUFFER;
    NEXT(int, "link", const char *, const char *);
    return refused("link", place(AT_FDCWD, path, buffer)) ? -1 : next(from, path);
}

int linkat(int from_dirfd, const char *from, int dirfd, const char *path, int flags)
{
    BUFFER;
    NEXT(int, "linkat", int, const char *, int, const char *, int);
    return refused("link", place(dirfd, path, buffer))
               ? -1
               : next(from_dirfd, from, dirfd, path, flags);
}

/* Processes. A vfork cannot be handed on from a function that returns: a fork does the same. */
#define NO_PATH (below_length ? "-" : NULL)

pid_t fork(void)
{
    NEXT(pid_t, "fork", void);
    return refused("fork", NO_PATH) ? -1 : next();
}

pid_t vfork(void)
{
    return fork();
}

int pipe2(int ends[2], int flags)
{
    NEXT(int, "pipe2", int *, int);
    return refused("pipe", NO_PATH) ? -1 : next(ends, flags);
}
