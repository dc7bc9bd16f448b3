// Command bench measures stackgen as a whole process against what the same work costs without it. It prints
// ratios of one run on one machine; the times beside them are those of that machine.
package main

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// bench is the programs that are measured, and where.
type bench struct {
	stackgen, floor, compose string
	dir                      string
	rounds                   int
	env                      []string
}

// task is one program run. setup is done before each run and not measured.
type task struct {
	name  string
	setup func() error
	cmd   []string
	per   int // how many specs the run renders, 0 for one that is no run of stackgen
	base  *task

	wall, cpu []time.Duration
	rss       int64 // KiB
	bound     float64
}

func main() {
	b := &bench{env: os.Environ()}
	flag.StringVar(&b.stackgen, "stackgen", "bin/stackgen", "the stackgen to measure")
	flag.StringVar(&b.floor, "floor", "bin/floor", "the program built from bench/floor")
	flag.StringVar(&b.compose, "compose", os.Getenv("DOCKER_COMPOSE"), "a docker-compose binary; default: $DOCKER_COMPOSE")
	flag.IntVar(&b.rounds, "rounds", 20, "how often each program runs")
	many := flag.Int("specs", 1000, "the most specs in one run")
	check := flag.Bool("check", false, "fail where a ratio is above its bound")
	flag.Parse()
	if err := b.run(*many, *check); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func (b *bench) run(many int, check bool) (err error) {
	if b.dir, err = os.MkdirTemp("", "stackgen-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir) //nolint:errcheck // It is temporary.
	for _, program := range []*string{&b.stackgen, &b.floor} {
		if *program, err = filepath.Abs(*program); err != nil {
			return err
		}
	}
	tasks, err := b.single()
	if err != nil {
		return err
	}
	if err := b.measure(tasks, b.rounds); err != nil {
		return err
	}
	lots, err := b.lots(many)
	if err != nil {
		return err
	}
	if err := b.measure(lots, 3); err != nil {
		return err
	}
	print(append(tasks, lots...))
	if b.compose == "" {
		fmt.Println("docker compose config is left out: DOCKER_COMPOSE names no docker-compose binary")
	}
	if check {
		return verdict(append(tasks, lots...))
	}
	return nil
}

// measure runs the tasks in turn, in the opposite order every other time: what disturbs the machine
// disturbs all of them.
func (b *bench) measure(tasks []*task, rounds int) error {
	for i := range rounds {
		order := slices.Clone(tasks)
		if i%2 == 1 {
			slices.Reverse(order)
		}
		for _, t := range order {
			if err := b.once(t); err != nil {
				return fmt.Errorf("%s: %w", t.name, err)
			}
		}
	}
	return nil
}

func (b *bench) once(t *task) error {
	if t.setup != nil {
		if err := t.setup(); err != nil {
			return err
		}
	}
	var said strings.Builder
	cmd := exec.Command(t.cmd[0], t.cmd[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = b.dir, b.env, &said, &said
	start := time.Now()
	err := cmd.Run()
	wall := time.Since(start)
	if err != nil {
		return fmt.Errorf("%w\n%s", err, &said)
	}
	t.wall = append(t.wall, wall)
	t.cpu = append(t.cpu, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime())
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		t.rss = max(t.rss, usage.Maxrss)
	}
	return nil
}

// print shows the least of each: what comes on top is another program's. The median says how much that was.
func print(tasks []*task) {
	fmt.Printf("%-24s %12s %12s %12s %9s   %s\n", "", "wall", "(median)", "CPU", "memory", "wall and CPU against")
	for _, t := range tasks {
		n := max(t.per, 1)
		ratio := ""
		if t.base != nil {
			ratio = fmt.Sprintf("%5.1f x %5.1f x  %s", t.ratio(slices.Min(t.wall), slices.Min(t.base.wall)), t.ratio(slices.Min(t.cpu), slices.Min(t.base.cpu)), t.base.name)
		}
		fmt.Printf("%-24s %9.1f ms %9.1f ms %9.1f ms %6.0f MB   %s\n", t.name, ms(slices.Min(t.wall), n), ms(median(t.wall), n), ms(slices.Min(t.cpu), n), float64(t.rss)/1024, ratio)
	}
}

// ratio compares what one spec costs.
func (t *task) ratio(mine, base time.Duration) float64 {
	return ms(mine, max(t.per, 1)) / ms(base, max(t.base.per, 1))
}

// verdict names the ratios above their bounds.
func verdict(tasks []*task) error {
	var worse []string
	for _, t := range tasks {
		if t.bound == 0 {
			continue
		}
		if r := t.ratio(slices.Min(t.cpu), slices.Min(t.base.cpu)); r > t.bound {
			worse = append(worse, fmt.Sprintf("%s takes %.1f times the CPU of %s, the bound is %.1f", t.name, r, t.base.name, t.bound))
		}
	}
	if len(worse) > 0 {
		return fmt.Errorf("slower than it was:\n%s", strings.Join(worse, "\n"))
	}
	return nil
}

func ms(d time.Duration, n int) float64 { return float64(d) / float64(time.Millisecond) / float64(n) }

func median(ds []time.Duration) time.Duration {
	sorted := slices.Clone(ds)
	slices.SortFunc(sorted, cmp.Compare)
	return sorted[len(sorted)/2]
}
