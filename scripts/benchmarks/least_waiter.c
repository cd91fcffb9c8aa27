// What any program pays that looks for a file as often as a waiter does: it sleeps and looks, no more.
//
//   least_waiter FILE
#define _GNU_SOURCE
#include <poll.h>
#include <sys/stat.h>
#include <time.h>

int main(int count, char** arguments) {
  struct stat status;
  double pause = 0.1;
  while (count > 1 && lstat(arguments[1], &status) != 0) {
    const time_t whole = (time_t)pause;
    const struct timespec timeout = {whole, (long)((pause - (double)whole) * 1e9)};
    ppoll(0, 0, &timeout, 0);
    pause = pause * 1.5 < 2 ? pause * 1.5 : 2;
  }
  return 0;
}
