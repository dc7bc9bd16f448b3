// Command load has users write to each other over a running homeserver for a bounded time, and prints how many messages a
// second that were, and how long they took to be taken and to arrive.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// load is what is asked for.
type load struct {
	url, secret  string // of the homeserver, and its registration_shared_secret
	users, rooms int
	rate         float64 // messages per second, 0: each user writes as soon as the last message was taken
	warm, length time.Duration
	late         time.Duration // bounds how long a message may take to arrive, once nobody writes any more
}

func main() {
	l := load{late: 30 * time.Second}
	flag.StringVar(&l.url, "url", "http://127.0.0.1:8008", "the `ADDRESS` of the homeserver")
	secret := flag.String("secret-file", "", "the `FILE` with its registration_shared_secret, by which the users are made")
	flag.IntVar(&l.users, "users", 40, "how many `USERS` write and wait for what is new")
	flag.IntVar(&l.rooms, "rooms", 8, "how many `ROOMS` there are; each user is in two")
	flag.Float64Var(&l.rate, "rate", 0, "`MESSAGES` per second of all users; 0: each writes as soon as the last one was taken")
	flag.DurationVar(&l.length, "length", time.Minute, "how long they write")
	flag.DurationVar(&l.warm, "warm", 5*time.Second, "how long they write before that, unmeasured")
	flag.Parse()
	src, err := os.ReadFile(*secret)
	if err == nil {
		l.secret = strings.TrimSpace(string(src))
		var got result
		if got, err = l.run(context.Background()); err == nil {
			fmt.Println(got)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

// message is one that was sent; due is when that was to be.
type message struct {
	due      time.Time
	room     int
	measured bool
}

// result is what came of it.
type result struct {
	load
	sent, arrived    []time.Duration // from when a message was due, for each and for each who reads it
	refused, missing int
}

func (r result) String() string {
	return fmt.Sprintf("%d users, %d rooms of %d, %s: %5.1f messages/s; taken after %s; arrived after %s; %d refused, %d of %d not arrived",
		r.users, r.rooms, 2*r.users/r.rooms, r.length, float64(len(r.sent))/r.length.Seconds(), spread(r.sent), spread(r.arrived),
		r.refused, r.missing, r.missing+len(r.arrived))
}

// spread gives the median and the 95th percentile.
func spread(all []time.Duration) string {
	if len(all) == 0 {
		return "-"
	}
	slices.SortFunc(all, cmp.Compare)
	at := func(percent int) time.Duration { return all[(len(all)-1)*percent/100].Round(time.Millisecond) }
	return fmt.Sprintf("%s, p95 %s", at(50), at(95))
}

// run makes the users and the rooms, has them write, and waits until all has arrived.
func (l load) run(ctx context.Context) (r result, err error) {
	if l.rooms < 2 || l.users < l.rooms {
		return r, errors.New("there have to be two rooms, and a user for each")
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute+l.warm+l.length+l.late)
	defer cancel()
	c := &crowd{load: l, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4 * l.users}}, sent: make(map[string]message)}
	if err := c.gather(ctx); err != nil {
		return r, err
	}
	reading, stop := context.WithCancel(ctx)
	defer stop()
	var readers, writers sync.WaitGroup
	for i := range c.people {
		readers.Go(func() { c.reads(reading, &c.people[i]) })
	}
	start := time.Now()
	for i := range c.people {
		writers.Go(func() { c.writes(ctx, &c.people[i], start) })
	}
	writers.Wait()
	for deadline := time.Now().Add(l.late); c.outstanding() > 0 && time.Now().Before(deadline) && ctx.Err() == nil; {
		time.Sleep(50 * time.Millisecond)
	}
	stop()
	readers.Wait()
	return result{l, c.taken, c.arrived, c.refused, c.expected - len(c.arrived)}, ctx.Err()
}

// crowd is everybody, and what has happened so far.
type crowd struct {
	load
	http   *http.Client
	people []person
	room   []string // identifiers
	next   atomic.Int64

	sync.Mutex
	sent              map[string]message // by what they say
	taken, arrived    []time.Duration
	refused, expected int
}

// person is a user with a place in a sync.
type person struct {
	name, token, since string
	rooms              [2]int
	seen               map[string]bool
}

// members are the users in a room: each user is in the one of the same remainder and in the one after it.
func (c *crowd) members(room int) (n int) {
	for i := range c.people {
		if slices.Contains(c.people[i].rooms[:], room) {
			n++
		}
	}
	return n
}

// writes is a user who writes into the first room that he is in, till the time is up.
func (c *crowd) writes(ctx context.Context, p *person, start time.Time) {
	begin, end := start.Add(c.warm), start.Add(c.warm+c.length)
	for ctx.Err() == nil {
		n := c.next.Add(1) - 1
		due := time.Now()
		if c.rate > 0 {
			due = start.Add(time.Duration(float64(n) / c.rate * float64(time.Second)))
		}
		if !due.Before(end) {
			return
		}
		time.Sleep(time.Until(due))
		m := message{due: due, room: p.rooms[0], measured: !due.Before(begin)}
		said := fmt.Sprintf("message %d", n)
		c.Lock()
		c.sent[said] = m
		c.Unlock()
		err := c.say(ctx, p, said)
		took := time.Since(due)
		c.Lock()
		switch {
		case err != nil:
			delete(c.sent, said)
			c.refused++
		case m.measured:
			c.taken = append(c.taken, took)
			c.expected += c.members(m.room) - 1
		}
		c.Unlock()
	}
}

// reads is a user who waits for what is new.
func (c *crowd) reads(ctx context.Context, p *person) {
	for ctx.Err() == nil {
		bodies, err := c.news(ctx, p, 10*time.Second)
		if err != nil {
			// A client that is refused waits, too.
			select {
			case <-ctx.Done():
			case <-time.After(200 * time.Millisecond):
			}
			continue
		}
		now := time.Now()
		c.Lock()
		for _, b := range bodies {
			if m, ok := c.sent[b.said]; ok && m.measured && b.by != p.name && !p.seen[b.said] {
				p.seen[b.said] = true
				c.arrived = append(c.arrived, now.Sub(m.due))
			}
		}
		c.Unlock()
	}
}

// outstanding is how many messages have not arrived, each counted for everybody who reads it.
func (c *crowd) outstanding() int {
	c.Lock()
	defer c.Unlock()
	return c.expected - len(c.arrived)
}
