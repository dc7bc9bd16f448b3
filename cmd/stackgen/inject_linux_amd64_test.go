package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
)

const canInject = true

// changing are the system calls that change what a disk holds.
var changing = map[uint64]string{
	syscall.SYS_WRITE: "write", syscall.SYS_PWRITE64: "pwrite64", syscall.SYS_FTRUNCATE: "ftruncate", syscall.SYS_FSYNC: "fsync",
	syscall.SYS_FDATASYNC: "fdatasync", syscall.SYS_OPENAT: "openat", syscall.SYS_MKDIRAT: "mkdirat", syscall.SYS_LINKAT: "linkat",
	syscall.SYS_RENAMEAT: "renameat", sysRenameat2: "renameat2", syscall.SYS_UNLINKAT: "unlinkat", syscall.SYS_FCHMOD: "fchmod",
	syscall.SYS_FCHMODAT: "fchmodat", syscall.SYS_FCHOWN: "fchown", syscall.SYS_FCHOWNAT: "fchownat",
}

const (
	sysRenameat2   = 316
	atFDCWD        = -100
	ptraceExitKill = 0x100000
	ptraceSysGood  = 1
	syscallStop    = syscall.SIGTRAP | 0x80
)

// tracer counts the changing system calls of all threads of a program, and spoils one of them. strace
// counts for each thread alone, and Go moves its work between threads.
type tracer struct {
	nth      int           // which call is spoiled, from 1 on; 0 for none
	errno    syscall.Errno // what it answers; 0 kills the program instead
	calls    []string      // as call has them, one a line
	inside   map[int]bool  // threads between the entry and the exit of a call
	counted  map[int]int   // the call in calls that a thread is in
	spoiled  int           // the thread whose call is being spoiled
	dieAfter bool          // the spoiled call is a write of half its bytes
}

// inject is a command of the test binary: inject N ERRNO LOG PROGRAM ARG... runs the program, lets its
// N-th changing call fail with ERRNO, or kills it there when ERRNO is 0, and writes the calls to LOG, as
// parseCalls reads them. It is a process of its own because a tracer waits for every child.
func inject() {
	runtime.LockOSThread()
	nth, _ := strconv.Atoi(os.Args[1])
	errno, _ := strconv.Atoi(os.Args[2])
	t := &tracer{nth: nth, errno: syscall.Errno(errno), inside: make(map[int]bool), counted: make(map[int]int)}
	cmd := exec.Command(os.Args[4], os.Args[5:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(injectNotAllowed)
	}
	code, err := t.follow(cmd.Process.Pid)
	if err == nil {
		err = os.WriteFile(os.Args[3], []byte(strings.Join(t.calls, "\n")), 0o600)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(injectNotAllowed)
	}
	os.Exit(code)
}

func (t *tracer) follow(pid int) (code int, err error) {
	var ws syscall.WaitStatus
	if _, err := syscall.Wait4(pid, &ws, 0, nil); err != nil {
		return 0, err
	}
	if err := syscall.PtraceSetOptions(pid, ptraceExitKill|ptraceSysGood|syscall.PTRACE_O_TRACECLONE); err != nil {
		return 0, err
	}
	for tid, deliver := pid, 0; ; {
		// A thread may be gone already: the program was killed.
		if err := syscall.PtraceSyscall(tid, deliver); err != nil && !errors.Is(err, syscall.ESRCH) {
			return 0, err
		}
		if tid, err = syscall.Wait4(-1, &ws, syscall.WALL, nil); err != nil {
			return 0, err
		}
		for ; ws.Exited() || ws.Signaled(); delete(t.inside, tid) {
			if tid == pid && ws.Signaled() {
				return 128 + int(ws.Signal()), nil
			} else if tid == pid {
				return ws.ExitStatus(), nil
			}
			if tid, err = syscall.Wait4(-1, &ws, syscall.WALL, nil); err != nil {
				return 0, err
			}
		}
		deliver = 0
		switch sig := ws.StopSignal(); sig {
		case syscallStop:
			t.inside[tid] = !t.inside[tid]
			if err := t.stop(pid, tid); err != nil && !errors.Is(err, syscall.ESRCH) {
				return 0, err
			}
		case syscall.SIGTRAP, syscall.SIGSTOP: // a new thread
		default:
			deliver = int(sig)
		}
	}
}

// stop is called at the entry and at the exit of every system call.
func (t *tracer) stop(pid, tid int) error {
	var regs syscall.PtraceRegs
	if !t.inside[tid] {
		if i, ok := t.counted[tid]; ok {
			delete(t.counted, tid)
			if err := syscall.PtraceGetRegs(tid, &regs); err != nil {
				return err
			}
			if int64(regs.Rax) < 0 {
				t.calls[i] += failedCall
			}
		}
		if t.spoiled != tid {
			return nil
		}
		t.spoiled = 0
		if t.dieAfter {
			return syscall.Kill(pid, syscall.SIGKILL)
		}
		if err := syscall.PtraceGetRegs(tid, &regs); err != nil {
			return err
		}
		regs.Rax = uint64(-int64(t.errno))
		return syscall.PtraceSetRegs(tid, &regs)
	}
	if err := syscall.PtraceGetRegs(tid, &regs); err != nil {
		return err
	}
	name := changing[regs.Orig_rax]
	if name == "" || !changesDisk(tid, &regs) {
		return nil
	}
	t.counted[tid] = len(t.calls)
	t.calls = append(t.calls, strings.Join(append([]string{name}, paths(tid, &regs)...), "\t"))
	if len(t.calls) != t.nth {
		return nil
	}
	t.spoiled = tid
	switch {
	case t.errno != 0:
		regs.Orig_rax = ^uint64(0) // no call at all
	case regs.Orig_rax == syscall.SYS_WRITE:
		regs.Rdx /= 2
		t.dieAfter = true
	default:
		return syscall.Kill(pid, syscall.SIGKILL)
	}
	return syscall.PtraceSetRegs(tid, &regs)
}

// changesDisk leaves out what only reads, and writes to pipes and to the event descriptor of Go itself.
func changesDisk(tid int, regs *syscall.PtraceRegs) bool {
	switch regs.Orig_rax {
	case syscall.SYS_OPENAT:
		return regs.Rdx&syscall.O_CREAT != 0
	case syscall.SYS_WRITE, syscall.SYS_PWRITE64:
		file, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", tid, regs.Rdi))
		return err == nil && strings.HasPrefix(file, "/")
	}
	return true
}

// paths are the files that a call is about: the one that is changed, and for a rename where it goes.
func paths(tid int, regs *syscall.PtraceRegs) []string {
	switch regs.Orig_rax {
	case syscall.SYS_OPENAT, syscall.SYS_MKDIRAT, syscall.SYS_UNLINKAT, syscall.SYS_FCHMODAT, syscall.SYS_FCHOWNAT:
		return []string{pathAt(tid, regs.Rdi, regs.Rsi)}
	case syscall.SYS_RENAMEAT, sysRenameat2, syscall.SYS_LINKAT:
		return []string{pathAt(tid, regs.Rdi, regs.Rsi), pathAt(tid, regs.Rdx, regs.R10)}
	}
	return []string{fdPath(tid, regs.Rdi)}
}

// fdPath is the path of an open file, "" where it has none.
func fdPath(tid int, fd uint64) string {
	path, _ := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", tid, int32(fd)))
	return path
}

// pathAt is the path that stands at an address of the program, relative to an open directory.
func pathAt(tid int, dir, address uint64) string {
	text := make([]byte, 4096)
	n, _ := syscall.PtracePeekData(tid, uintptr(address), text)
	name, _, _ := strings.Cut(string(text[:n]), "\x00")
	switch {
	case strings.HasPrefix(name, "/"):
		return name
	case int32(dir) == atFDCWD:
		cwd, _ := os.Readlink(fmt.Sprintf("/proc/%d/cwd", tid))
		return filepath.Join(cwd, name)
	}
	return filepath.Join(fdPath(tid, dir), name)
}
