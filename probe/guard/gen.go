package guard

//go:generate go tool bpf2go -tags linux -target bpfel -type flow -type counters guard guard.c -- -O2 -g -Wall -Werror -I/usr/include/x86_64-linux-gnu -I/usr/include/aarch64-linux-gnu
