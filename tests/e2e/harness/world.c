/* The world as a test wants it, loaded before the system's library (LD_PRELOAD) and steered by files in the folder
 * WORLD_FOLDER:
 *
 *   read-only   while there is such a file, nothing on any disk can be written: EROFS, also for files that are open, as
 *               when a file system has found an error and made itself read-only
 *   clock       the time of day is off by as many milliseconds as it says; other clocks go on
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const char* path_of(const char* name, char* path, size_t size) {
  const char* folder = getenv("WORLD_FOLDER");
  snprintf(path, size, "%s/%s", folder != NULL ? folder : "/nonexistent", name);
  return path;
}

/* --- the disk ----------------------------------------------------------------------------------------------------- */

static int is_read_only(void) {
  char path[4096];
  const int before = errno;
  const int found = syscall(SYS_access, path_of("read-only", path, sizeof path), F_OK) == 0;
  errno = found ? EROFS : before;
  return found;
}

static int is_refused(int fd) {
  struct stat status;
  return is_read_only() && fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void* bytes, size_t size) {
  return is_refused(fd) ? -1 : syscall(SYS_write, fd, bytes, size);
}
ssize_t pwrite(int fd, const void* bytes, size_t size, off_t at) {
  return is_refused(fd) ? -1 : syscall(SYS_pwrite64, fd, bytes, size, at);
}
ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t at) {
  return is_refused(fd) ? -1 : syscall(SYS_pwrite64, fd, bytes, size, at);
}
int ftruncate(int fd, off_t size) { return is_refused(fd) ? -1 : (int)syscall(SYS_ftruncate, fd, size); }
int ftruncate64(int fd, off64_t size) { return is_refused(fd) ? -1 : (int)syscall(SYS_ftruncate, fd, size); }
int unlink(const char* path) { return is_read_only() ? -1 : (int)syscall(SYS_unlink, path); }
int mkdir(const char* path, mode_t mode) { return is_read_only() ? -1 : (int)syscall(SYS_mkdir, path, mode); }

static int open_at(int folder, const char* path, int flags, mode_t mode) {
  const int writes = (flags & (O_WRONLY | O_RDWR)) != 0;
  struct stat status;
  const int is_other = stat(path, &status) == 0 && !S_ISREG(status.st_mode);
  if (writes && !is_other && is_read_only()) return -1;
  return (int)syscall(SYS_openat, folder, path, flags, mode);
}

#define WITH_MODE(last, call)          \
  mode_t mode = 0;                     \
  if (flags & (O_CREAT | O_TMPFILE)) { \
    va_list rest;                      \
    va_start(rest, last);              \
    mode = va_arg(rest, mode_t);       \
    va_end(rest);                      \
  }                                    \
  return call

int open(const char* path, int flags, ...) { WITH_MODE(flags, open_at(AT_FDCWD, path, flags, mode)); }
int open64(const char* path, int flags, ...) { WITH_MODE(flags, open_at(AT_FDCWD, path, flags, mode)); }
int openat(int folder, const char* path, int flags, ...) { WITH_MODE(flags, open_at(folder, path, flags, mode)); }
int openat64(int folder, const char* path, int flags, ...) { WITH_MODE(flags, open_at(folder, path, flags, mode)); }

/* --- the clock ---------------------------------------------------------------------------------------------------- */

static long long clock_off_ms(void) {
  char path[4096];
  char text[32] = "";
  const int before = errno;
  const int fd = (int)syscall(SYS_openat, AT_FDCWD, path_of("clock", path, sizeof path), O_RDONLY | O_CLOEXEC, 0);
  if (fd >= 0) {
    if (read(fd, text, sizeof text - 1) < 0) text[0] = 0;
    close(fd);
  }
  errno = before;
  return strtoll(text, NULL, 10);
}

int clock_gettime(clockid_t clock, struct timespec* now) {
  const int code = NEXT(clock_gettime)(clock, now);
  if (code != 0 || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE)) return code;
  const long long off_ms = clock_off_ms();
  const long long ns = now->tv_nsec + off_ms % 1000 * 1000000;
  now->tv_sec += (time_t)(off_ms / 1000 + (ns < 0 ? -1 : ns / 1000000000));
  now->tv_nsec = (long)(ns < 0 ? ns + 1000000000 : ns % 1000000000);
  return 0;
}

int gettimeofday(struct timeval* restrict now, void* restrict zone) {
  struct timespec time_of_day;
  (void)zone;
  clock_gettime(CLOCK_REALTIME, &time_of_day);
  now->tv_sec = time_of_day.tv_sec;
  now->tv_usec = time_of_day.tv_nsec / 1000;
  return 0;
}

time_t time(time_t* now) {
  struct timespec time_of_day;
  clock_gettime(CLOCK_REALTIME, &time_of_day);
  if (now != NULL) *now = time_of_day.tv_sec;
  return time_of_day.tv_sec;
}
