// The works of ../works.h in Go; GOMAXPROCS says in how many threads.
//
// usage: peer_go WORK MS    prints what bench_runtime --one does, or "-" for a work that
// Go has nothing like: it has no thread pool, any goroutine may block.
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sort"
	"strconv"
	"sync"
	"time"
)

const (
	gathered = 10000
	children = 8
)

func die(what string, err error) {
	fmt.Fprintf(os.Stderr, "peer_go: %s: %v\n", what, err)
	os.Exit(1)
}

func nothing() {}

// run n goroutines at once, until all have ended
func all(n int, fn func()) {
	var wg sync.WaitGroup
	wg.Add(n)
	for i := 0; i < n; i++ {
		go func() {
			defer wg.Done()
			fn()
		}()
	}
	wg.Wait()
}

func spawnJoin(n int) {
	for i := 0; i < n; i++ {
		done := make(chan struct{})
		go func() {
			nothing()
			close(done)
		}()
		<-done
	}
}

func switches(n int) {
	all(2, func() {
		for i := 0; i < n/2; i++ {
			runtime.Gosched()
		}
	})
}

// a channel for each turn, as a future
func futureSwitches(n int) {
	ball := [2]chan struct{}{make(chan struct{}, 1), make(chan struct{}, 1)}
	var wg sync.WaitGroup
	wg.Add(2)
	for me := 0; me < 2; me++ {
		go func(me int) {
			defer wg.Done()
			for i := 0; i < n/2; i++ {
				<-ball[me]
				ball[me] = make(chan struct{}, 1)
				ball[1-me] <- struct{}{}
			}
		}(me)
	}
	ball[0] <- struct{}{}
	wg.Wait()
}

func queueOf(n, max int) {
	queue := make(chan *int, max)
	item := new(int)
	var wg sync.WaitGroup
	wg.Add(2)
	go func() {
		defer wg.Done()
		for i := 0; i < n; i++ {
			queue <- item
		}
	}()
	go func() {
		defer wg.Done()
		for i := 0; i < n; i++ {
			<-queue
		}
	}()
	wg.Wait()
}

func gather(n int) {
	for ; n >= gathered; n -= gathered {
		all(gathered, nothing)
	}
}

func runChildren(n int) {
	all(children, func() {
		for i := 0; i < n/children; i++ {
			c := exec.Command("/bin/true")
			c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
			if err := c.Run(); err != nil {
				die("/bin/true", err)
			}
		}
	})
}

func deadlines(n int) {
	for i := 0; i < n; i++ {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		nothing()
		if ctx.Err() != nil {
			die("deadline", ctx.Err())
		}
		cancel()
	}
}

func deadlinesYielding(n int) {
	for i := 0; i < n; i++ {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		runtime.Gosched()
		if ctx.Err() != nil {
			die("deadline", ctx.Err())
		}
		cancel()
	}
}

func lock(n int) {
	var free sync.Mutex
	for i := 0; i < n; i++ {
		free.Lock()
		free.Unlock()
	}
}

func lockContended(n int) {
	var shared sync.Mutex
	all(children, func() {
		for i := 0; i < n/children; i++ {
			shared.Lock()
			runtime.Gosched()
			shared.Unlock()
		}
	})
}

type work struct {
	fn   func(n int)
	unit int
}

var works = map[string]work{
	"C1":  {spawnJoin, 1},
	"C2":  {switches, 2},
	"C2f": {futureSwitches, 2},
	"C3":  {func(n int) { queueOf(n, 1) }, 1},
	"C3b": {func(n int) { queueOf(n, 64) }, 1},
	"C5":  {gather, gathered},
	"C7":  {runChildren, children},
	"C8":  {deadlines, 1},
	"C8b": {deadlinesYielding, 1},
	"C9":  {lock, 1},
	"C9b": {lockContended, children},
}

func residentBytes() int {
	var size, resident int
	f, err := os.Open("/proc/self/statm")
	if err != nil {
		die("statm", err)
	}
	defer f.Close()
	if _, err := fmt.Fscan(f, &size, &resident); err != nil {
		die("statm", err)
	}
	return resident * os.Getpagesize()
}

func sleepers(n int) {
	late := make([]time.Duration, n)
	before := residentBytes()
	var wg sync.WaitGroup
	wg.Add(n)
	for i := 0; i < n; i++ {
		go func(i int) {
			defer wg.Done()
			began := time.Now()
			time.Sleep(time.Second)
			late[i] = time.Since(began) - time.Second
		}(i)
	}
	runtime.Gosched()
	size := residentBytes() - before
	wg.Wait()
	sort.Slice(late, func(a, b int) bool { return late[a] < late[b] })
	fmt.Printf("%d %.2f\n", size/n, late[n-1-n/100].Seconds()*1e3)
}

func measure(w work, ms float64) {
	n := w.unit
	for isWarm := ms <= 0; ; isWarm = true {
		began := time.Now()
		w.fn(n)
		took := float64(time.Since(began))
		if took < ms*1e6/2 {
			factor := 100.0
			if f := 0.75 * ms * 1e6 / took; f < factor {
				factor = f
			}
			if factor < 2 {
				factor = 2
			}
			n = (int(float64(n)*factor) + w.unit - 1) / w.unit * w.unit
		} else if isWarm {
			fmt.Printf("%.2f\n", took/float64(n))
			return
		}
	}
}

func main() {
	if len(os.Args) != 3 {
		die("usage", fmt.Errorf("peer_go WORK MS"))
	}
	amount, err := strconv.ParseFloat(os.Args[2], 64)
	if err != nil {
		die("MS", err)
	}
	if os.Args[1] == "C4" {
		sleepers(int(amount))
		return
	}
	w, ok := works[os.Args[1]]
	if !ok {
		fmt.Println("-")
		return
	}
	measure(w, amount)
}
