/* Preloaded into a relay (LD_PRELOAD): writes down everything that it does to the files below DISK_ROOT, in the order
 * in which it happens, into DISK_LOG; and fails the DISK_FAIL_SYNC-th sync with EIO, counted from when the file
 * DISK_FAIL_FROM is there. tests/src/power.rs reads the log.
 *
 * A record: op (1 byte), number (8), length of the path (4), length of the data (4), path, data. Native byte order.
 *   C path            made a file          M path          made a folder
 *   W path @n data    wrote at n           T path n        cut or stretched to n
 *   S path            synced               X path          a sync failed
 *   R path, data=new  renamed              U path          removed a file or a folder
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* One at a time, so that the log has the order of the effects. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char root[PATH_MAX];
static size_t root_len;
static int log_fd = -1;
static long syncs, fail_sync;
static const char *fail_from;

/* Names of files by inode: a rename by a raw system call shows when the file is opened under its new name. */
static struct name { ino_t ino; char *path; } *names;
static size_t names_len, names_room;

#define REAL(type, name, ...) \
    static type (*real)(__VA_ARGS__); \
    if (!real) real = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

__attribute__((constructor)) static void begin(void) {
    const char *folder = getenv("DISK_ROOT"), *log = getenv("DISK_LOG"), *text;
    if (!folder) return;
    snprintf(root, sizeof root, "%s/", folder);
    root_len = strlen(root);
    if ((text = getenv("DISK_FAIL_SYNC"))) fail_sync = atol(text);
    fail_from = getenv("DISK_FAIL_FROM");
    REAL(int, "open64", const char *, int, ...);
    if (log) log_fd = real(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

/* An effect and its record are one to whoever locks the log: a relay killed under that lock has written down all that
 * it did. */
static void enter(void) {
    pthread_mutex_lock(&lock);
    if (log_fd >= 0) while (flock(log_fd, LOCK_EX) && errno == EINTR);
}

static void leave(void) {
    if (log_fd >= 0) flock(log_fd, LOCK_UN);
    pthread_mutex_unlock(&lock);
}

static void put(char op, uint64_t number, const char *path, const void *data, size_t len) {
    if (log_fd < 0) return;
    char head[17];
    uint32_t path_len = strlen(path), data_len = len;
    head[0] = op;
    memcpy(head + 1, &number, 8);
    memcpy(head + 9, &path_len, 4);
    memcpy(head + 13, &data_len, 4);
    struct iovec parts[3] = {{head, sizeof head}, {(void *)path, path_len}, {(void *)data, len}};
    REAL(ssize_t, "writev", int, const struct iovec *, int);
    if (real(log_fd, parts, 3) != (ssize_t)(sizeof head + path_len + len)) abort();
}

/* Where an open file lies below the root, or NULL. */
static const char *open_path(int fd, char *out) {
    char link[64];
    if (!root_len || fd < 0 || fd == log_fd) return NULL;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, out, PATH_MAX - 2);
    if (len < 0) return NULL;
    out[len] = 0;
    if (len > 10 && !strcmp(out + len - 10, " (deleted)")) return NULL;
    if ((size_t)len == root_len - 1 && !strncmp(out, root, root_len - 1)) return "";
    return strncmp(out, root, root_len) ? NULL : out + root_len;
}

/* The same of a name. */
static const char *name_path(int folder, const char *path, char *out) {
    if (!root_len || !path) return NULL;
    if (path[0] == '/') {
        snprintf(out, PATH_MAX, "%s", path);
    } else {
        char base[PATH_MAX], link[64];
        snprintf(link, sizeof link, folder == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", folder);
        ssize_t len = readlink(link, base, sizeof base - 1);
        if (len < 0) return NULL;
        base[len] = 0;
        if ((size_t)snprintf(out, PATH_MAX, "%s/%s", base, path) >= PATH_MAX) return NULL;
    }
    size_t len = strlen(out);
    while (len > 1 && out[len - 1] == '/') out[--len] = 0;
    return strncmp(out, root, root_len) ? NULL : out + root_len;
}

static struct name *known(ino_t ino) {
    for (size_t i = 0; i < names_len; i++)
        if (names[i].ino == ino) return &names[i];
    return NULL;
}

static void learn(ino_t ino, const char *path) {
    struct name *name = known(ino);
    if (!name) {
        if (names_len == names_room) names = realloc(names, (names_room += 1024) * sizeof *names);
        if (!names) abort();
        name = &names[names_len++];
        name->ino = ino;
        name->path = NULL;
    }
    free(name->path);
    name->path = strdup(path);
}

static void forget(const char *path) {
    for (size_t i = 0; i < names_len; i++)
        if (!strcmp(names[i].path, path)) {
            free(names[i].path);
            names[i] = names[--names_len];
            return;
        }
}

static void renamed(const char *from, const char *to) {
    forget(to);
    for (size_t i = 0; i < names_len; i++)
        if (!strcmp(names[i].path, from)) {
            free(names[i].path);
            names[i].path = strdup(to);
        }
    put('R', 0, from, to, strlen(to));
}

static int opened(int folder, const char *name, int flags, mode_t mode) {
    REAL(int, "openat64", int, const char *, int, ...);
    char asked[PATH_MAX], out[PATH_MAX];
    struct stat before, now;
    if (!name_path(folder, name, asked)) return real(folder, name, flags, mode);
    enter();
    int made = (flags & O_CREAT) && fstatat(folder, name, &before, 0) != 0;
    int fd = real(folder, name, flags, mode), error = errno;
    const char *path = fd < 0 ? NULL : open_path(fd, out);
    if (path && *path && fstat(fd, &now) == 0 && S_ISREG(now.st_mode)) {
        struct name *old = known(now.st_ino);
        if (made) {
            put('C', 0, path, NULL, 0);
            learn(now.st_ino, path);
        } else {
            if (old && strcmp(old->path, path)) {
                char from[PATH_MAX];
                snprintf(from, sizeof from, "%s", old->path);
                renamed(from, path);
            }
            if (flags & O_TRUNC) put('T', 0, path, NULL, 0);
        }
    }
    leave();
    errno = error;
    return fd;
}

#define MODE(flags) \
    mode_t mode = 0; \
    if ((flags) & (O_CREAT | O_TMPFILE)) { \
        va_list rest; \
        va_start(rest, flags); \
        mode = va_arg(rest, mode_t); \
        va_end(rest); \
    }

int open(const char *name, int flags, ...) { MODE(flags) return opened(AT_FDCWD, name, flags, mode); }
int open64(const char *name, int flags, ...) { MODE(flags) return opened(AT_FDCWD, name, flags, mode); }
int openat(int folder, const char *name, int flags, ...) { MODE(flags) return opened(folder, name, flags, mode); }
int openat64(int folder, const char *name, int flags, ...) { MODE(flags) return opened(folder, name, flags, mode); }

/* Where a write without a place of its own goes. */
static off_t place(int fd) {
    struct stat now;
    if (fcntl(fd, F_GETFL) & O_APPEND) return fstat(fd, &now) ? 0 : now.st_size;
    return lseek(fd, 0, SEEK_CUR);
}

ssize_t write(int fd, const void *data, size_t len) {
    REAL(ssize_t, "write", int, const void *, size_t);
    char out[PATH_MAX];
    const char *path = open_path(fd, out);
    if (!path) return real(fd, data, len);
    enter();
    off_t at = place(fd);
    ssize_t done = real(fd, data, len);
    int error = errno;
    if (done > 0) put('W', at, path, data, done);
    leave();
    errno = error;
    return done;
}

ssize_t pwrite64(int fd, const void *data, size_t len, off_t at) {
    REAL(ssize_t, "pwrite64", int, const void *, size_t, off_t);
    char out[PATH_MAX];
    const char *path = open_path(fd, out);
    if (!path) return real(fd, data, len, at);
    enter();
    ssize_t done = real(fd, data, len, at);
    int error = errno;
    if (done > 0) put('W', at, path, data, done);
    leave();
    errno = error;
    return done;
}
ssize_t pwrite(int fd, const void *data, size_t len, off_t at) { return pwrite64(fd, data, len, at); }

ssize_t writev(int fd, const struct iovec *parts, int count) {
    REAL(ssize_t, "writev", int, const struct iovec *, int);
    char out[PATH_MAX];
    const char *path = open_path(fd, out);
    if (!path) return real(fd, parts, count);
    enter();
    off_t at = place(fd);
    ssize_t done = real(fd, parts, count), left = done;
    int error = errno;
    for (int i = 0; i < count && left > 0; i++) {
        ssize_t len = (ssize_t)parts[i].iov_len < left ? (ssize_t)parts[i].iov_len : left;
        put('W', at, path, parts[i].iov_base, len);
        at += len;
        left -= len;
    }
    leave();
    errno = error;
    return done;
}

int ftruncate64(int fd, off_t len) {
    REAL(int, "ftruncate64", int, off_t);
    char out[PATH_MAX];
    const char *path = open_path(fd, out);
    if (!path) return real(fd, len);
    enter();
    int failed = real(fd, len), error = errno;
    if (!failed) put('T', len, path, NULL, 0);
    leave();
    errno = error;
    return failed;
}
int ftruncate(int fd, off_t len) { return ftruncate64(fd, len); }

static int synced(int fd, int (*real)(int)) {
    char out[PATH_MAX];
    const char *path = open_path(fd, out);
    if (!path) return real(fd);
    enter();
    int failed = fail_sync && (!fail_from || !access(fail_from, F_OK)) && ++syncs == fail_sync;
    int error = EIO;
    if (!failed) {
        failed = real(fd);
        error = errno;
    }
    put(failed ? 'X' : 'S', 0, path, NULL, 0);
    leave();
    errno = error;
    return failed ? -1 : 0;
}
int fsync(int fd) { REAL(int, "fsync", int); return synced(fd, real); }
int fdatasync(int fd) { REAL(int, "fdatasync", int); return synced(fd, real); }

static int changed(char op, int folder, const char *name, int (*real)(int, const char *, int), int flags) {
    char out[PATH_MAX];
    const char *path = name_path(folder, name, out);
    if (!path) return real(folder, name, flags);
    enter();
    int failed = real(folder, name, flags), error = errno;
    if (!failed) {
        if (op == 'U') forget(path);
        put(op, 0, path, NULL, 0);
    }
    leave();
    errno = error;
    return failed;
}
int unlinkat(int folder, const char *name, int flags) { REAL(int, "unlinkat", int, const char *, int); return changed('U', folder, name, real, flags); }
int unlink(const char *name) { return unlinkat(AT_FDCWD, name, 0); }
int rmdir(const char *name) { return unlinkat(AT_FDCWD, name, AT_REMOVEDIR); }

static int make_folder(int folder, const char *name, int mode) {
    REAL(int, "mkdirat", int, const char *, mode_t);
    return real(folder, name, mode);
}
int mkdirat(int folder, const char *name, mode_t mode) { return changed('M', folder, name, make_folder, mode); }
int mkdir(const char *name, mode_t mode) { return mkdirat(AT_FDCWD, name, mode); }

int rename(const char *from, const char *to) {
    REAL(int, "rename", const char *, const char *);
    char a[PATH_MAX], b[PATH_MAX];
    const char *old = name_path(AT_FDCWD, from, a), *new = name_path(AT_FDCWD, to, b);
    if (!old || !new) return real(from, to);
    enter();
    int failed = real(from, to), error = errno;
    if (!failed) renamed(old, new);
    leave();
    errno = error;
    return failed;
}
