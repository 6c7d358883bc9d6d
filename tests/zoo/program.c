/* For images that have nothing else: says that it runs and whether each directory that it is given
   can be written to, and exits with the status that it is given. usage: zoo STATUS [DIRECTORY…] */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv) {
    int status = argc > 1 ? atoi(argv[1]) : 0;
    printf("zoo: user %d", (int)getuid());
    for (int i = 2; i < argc; ++i) {
        char path[4096];
        snprintf(path, sizeof(path), "%s/written", argv[i]);
        FILE *file = fopen(path, "w");
        printf(", %s %s", argv[i], file != NULL ? "writable" : "not writable");
        if (file != NULL) {
            fclose(file);
            remove(path);
        }
    }
    printf("\n");
    return status;
}
