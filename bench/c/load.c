#include "load.h"
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { MOST_SAMPLES = 2000000 };

static double start, until, gap, *samples;
static long left, done, failed;
static once_fn *one;
static int all;

static double now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void wait_until(double when) {
	struct timespec t = {(time_t)when, (long)((when - (time_t)when) * 1e9)};
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, 0);
}

static void *client(void *number) {
	int me = (int)(intptr_t)number;
	unsigned seed = (unsigned)me * 2654435761u + 1;
	double due = start + gap * me / all;
	for (;;) {
		if (gap > 0) wait_until(due);
		double began = gap > 0 ? due : now();
		if (now() >= until || __sync_sub_and_fetch(&left, 1) < 0) return 0;
		seed = seed * 1664525u + 1013904223u;
		if (!one(me, seed >> 8)) __sync_add_and_fetch(&failed, 1);
		long n = __sync_fetch_and_add(&done, 1);
		if (n < MOST_SAMPLES) samples[n] = now() - began;
		due += gap;
	}
}

static int order(const void *a, const void *b) {
	double d = *(const double *)a - *(const double *)b;
	return d < 0 ? -1 : d > 0;
}

int load(int clients, double seconds, long count, double rate, once_fn *once) {
	pthread_t threads[MOST_CLIENTS];
	if (clients < 1 || clients > MOST_CLIENTS || !(samples = calloc(MOST_SAMPLES, sizeof *samples))) return 0;
	all = clients;
	one = once;
	left = count > 0 && count < MOST_SAMPLES ? count : MOST_SAMPLES;
	gap = rate > 0 ? clients / rate : 0;
	start = now();
	until = start + seconds;
	for (int i = 0; i < clients; i++) pthread_create(&threads[i], 0, client, (void *)(intptr_t)i);
	for (int i = 0; i < clients; i++) pthread_join(threads[i], 0);
	double took = now() - start;
	qsort(samples, (size_t)done, sizeof *samples, order);
	printf("%.0f/s median %.2f ms p99 %.2f ms max %.2f ms failed %ld of %ld\n", done / took,
		done ? samples[done / 2] * 1e3 : 0, done ? samples[done * 99 / 100] * 1e3 : 0,
		done ? samples[done - 1] * 1e3 : 0, failed, done);
	return failed == 0 && done > 0;
}
