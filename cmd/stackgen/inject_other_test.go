//go:build !linux || !amd64

package main

// canInject is false where system calls cannot be counted: the tracer knows the registers of one processor.
const canInject = false

func inject() {}
