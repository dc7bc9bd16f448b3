package main

import (
	"fmt"
	"os"
	"runtime"
	"sync"

	"golang.org/x/term"
)

// each does the work for every item, as many at once as there are processors, and gives the results in
// the order of the items. After a signal no work is begun: what is left has the zero result.
func each[T any](a *app, items []string, work func(i int) T) []T {
	results := make([]T, len(items))
	next := make(chan int)
	var wg sync.WaitGroup
	var mu sync.Mutex
	done, show := 0, len(items) > 1
	for range min(runtime.GOMAXPROCS(0), len(items)) {
		wg.Go(func() {
			for i := range next {
				results[i] = work(i)
				mu.Lock()
				done++
				if show {
					a.stderr.Progress(fmt.Sprintf("%d of %d specs", done, len(items)))
				}
				mu.Unlock()
			}
		})
	}
	for i := range items {
		select {
		case next <- i:
		case <-a.ctx.Done():
		}
	}
	close(next)
	wg.Wait()
	if show {
		a.stderr.Progress("")
	}
	return results
}

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// exit turns a code into what Run returns.
func exit(code int) error {
	if code == exitClean {
		return nil
	}
	return exitCode(code)
}
