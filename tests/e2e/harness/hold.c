/* Holds up a thread of the hub, as a disk or a network that has died would: loaded before the system's library
 * (LD_PRELOAD), it has a call wait for as long as a file of a certain name is in the folder HOLD_FOLDER.
 *
 *   commit      fdatasync() and fsync() wait: a commit that hangs
 *   loop        sending anything with the text "hold-this-loop" in it waits: a loop that is stuck in a handler
 *   webhooks    sending anything with the text "hold-the-webhooks" in it waits: the same of the webhooks' thread
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static void wait_while_there_is(const char* name) {
  const char* folder = getenv("HOLD_FOLDER");
  char path[4096];
  if (folder == NULL) return;
  snprintf(path, sizeof path, "%s/%s", folder, name);
  while (access(path, F_OK) == 0) usleep(5000);
}

static void look_at(const void* bytes, size_t size) {
  if (memmem(bytes, size, "hold-this-loop", 14) != NULL) wait_while_there_is("loop");
  if (memmem(bytes, size, "hold-the-webhooks", 17) != NULL) wait_while_there_is("webhooks");
}

int fdatasync(int fd) {
  static int (*next)(int);
  if (next == NULL) next = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
  wait_while_there_is("commit");
  return next(fd);
}

int fsync(int fd) {
  static int (*next)(int);
  if (next == NULL) next = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  wait_while_there_is("commit");
  return next(fd);
}

ssize_t send(int fd, const void* bytes, size_t size, int flags) {
  static ssize_t (*next)(int, const void*, size_t, int);
  if (next == NULL) next = (ssize_t (*)(int, const void*, size_t, int))dlsym(RTLD_NEXT, "send");
  look_at(bytes, size);
  return next(fd, bytes, size, flags);
}

/* The hub sends one piece by the system call itself. */
long syscall(long number, ...) {
  static long (*next)(long, ...);
  long given[6];
  va_list arguments;
  if (next == NULL) next = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
  va_start(arguments, number);
  for (int i = 0; i < 6; ++i) given[i] = va_arg(arguments, long);
  va_end(arguments);
  if (number == SYS_sendto) look_at((const void*)given[1], (size_t)given[2]);
  return next(number, given[0], given[1], given[2], given[3], given[4], given[5]);
}

ssize_t sendmsg(int fd, const struct msghdr* message, int flags) {
  static ssize_t (*next)(int, const struct msghdr*, int);
  if (next == NULL) next = (ssize_t (*)(int, const struct msghdr*, int))dlsym(RTLD_NEXT, "sendmsg");
  for (size_t i = 0; i < message->msg_iovlen; ++i) look_at(message->msg_iov[i].iov_base, message->msg_iov[i].iov_len);
  return next(fd, message, flags);
}
