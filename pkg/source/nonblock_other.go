//go:build !unix && !windows

package source

// nonblock is nothing where a file cannot be opened so, as in a browser.
const nonblock = 0
