//go:build linux

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
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// bench is the programs that are measured, and where.
type bench struct {
	stackgen, floor, compose string
	before                   string // another stackgen; empty for none
	dir                      string
	rounds                   int
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
	b := &bench{}
	flag.StringVar(&b.stackgen, "stackgen", "bin/stackgen", "the stackgen to measure")
	flag.StringVar(&b.floor, "floor", "bin/floor", "the program built from bench/floor")
	flag.StringVar(&b.compose, "compose", os.Getenv("DOCKER_COMPOSE"), "a docker-compose binary; default: $DOCKER_COMPOSE")
	flag.StringVar(&b.before, "before", "", "another stackgen, which the first is held against")
	flag.IntVar(&b.rounds, "rounds", 20, "how often each program runs")
	many := flag.Int("specs", 1000, "the most specs in one run")
	check := flag.Bool("check", false, "fail where a ratio is above its bound")
	readme := flag.String("readme", "", "a file that gets the table, in place of the one there")
	flag.Parse()
	if err := b.run(*many, *check, *readme); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func (b *bench) run(many int, check bool, readme string) (err error) {
	if b.dir, err = os.MkdirTemp("", "stackgen-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir) //nolint:errcheck // It is temporary.
	for _, program := range []*string{&b.stackgen, &b.floor, &b.compose, &b.before} {
		if *program == "" {
			continue
		}
		if *program, err = filepath.Abs(*program); err != nil {
			return err
		}
	}
	tasks, err := b.single(b.stackgen, "now")
	if err != nil {
		return err
	}
	if b.before != "" {
		if tasks, err = b.against(tasks); err != nil {
			return err
		}
	}
	if err := b.measure(tasks, b.rounds); err != nil {
		return err
	}
	var lots []*task
	if many > 0 {
		if lots, err = b.lots(many); err != nil {
			return err
		}
		if err := b.measure(lots, 3); err != nil {
			return err
		}
	}
	tasks = append(tasks, lots...)
	text := table(tasks)
	if b.compose == "" {
		text += "docker compose config is left out: DOCKER_COMPOSE names no docker-compose binary\n"
	}
	fmt.Print(text)
	if readme != "" {
		if err := refresh(readme, text); err != nil {
			return err
		}
	}
	if check {
		return verdict(tasks)
	}
	return nil
}

// against holds the same runs of the other stackgen beside each.
func (b *bench) against(tasks []*task) ([]*task, error) {
	old, err := b.single(b.before, "before")
	if err != nil {
		return nil, err
	}
	var both []*task
	for _, t := range tasks {
		i := slices.IndexFunc(old, func(o *task) bool { return o.name == t.name && o.cmd[0] == b.before })
		if t.cmd[0] != b.stackgen || i < 0 {
			continue
		}
		t.base, t.bound = old[i], 0
		old[i].base = nil
		old[i].name += ", before"
		both = append(both, old[i], t)
	}
	return both, nil
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
	start := time.Now()
	state, err := b.try(t.cmd...)
	wall := time.Since(start)
	if err != nil {
		return err
	}
	t.wall = append(t.wall, wall)
	t.cpu = append(t.cpu, state.UserTime()+state.SystemTime())
	if usage, ok := state.SysUsage().(*syscall.Rusage); ok {
		t.rss = max(t.rss, usage.Maxrss)
	}
	return nil
}

// try runs a program; the error holds what it said.
func (b *bench) try(args ...string) (*os.ProcessState, error) {
	var said strings.Builder
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = b.dir, &said, &said
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, &said)
	}
	return cmd.ProcessState, nil
}

// table shows the least of each: what comes on top is another program's. The median says how much that was.
// Times are for one spec.
func table(tasks []*task) string {
	var w strings.Builder
	fmt.Fprintf(&w, "%-24s %12s %12s %12s %9s   %s\n", "", "wall", "(median)", "CPU", "memory", "wall and CPU against")
	for _, t := range tasks {
		n := max(t.per, 1)
		ratio := ""
		if t.base != nil {
			ratio = fmt.Sprintf("   %5.1f x %5.1f x  %s", t.ratio(slices.Min(t.wall), slices.Min(t.base.wall)), t.ratio(slices.Min(t.cpu), slices.Min(t.base.cpu)), t.base.name)
		}
		fmt.Fprintf(&w, "%-24s %9.1f ms %9.1f ms %9.1f ms %6.0f MB%s\n", t.name, ms(slices.Min(t.wall), n), ms(median(t.wall), n), ms(slices.Min(t.cpu), n), float64(t.rss)/1024, ratio)
	}
	return w.String()
}

// The table in the README stands between these lines.
const (
	blockStart = "<!-- make bench-readme writes this -->\n"
	blockEnd   = "<!-- until here -->\n"
)

func refresh(file, text string) error {
	old, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	head, rest, ok := strings.Cut(string(old), blockStart)
	_, tail, closed := strings.Cut(rest, blockEnd)
	if !ok || !closed {
		return fmt.Errorf("%s has no place for the table", file)
	}
	block := fmt.Sprintf("On a machine with %d processors, %s:\n\n```\n%s```\n", runtime.NumCPU(), time.Now().Format(time.DateOnly), text)
	return os.WriteFile(file, []byte(head+blockStart+block+blockEnd+tail), 0o644)
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
