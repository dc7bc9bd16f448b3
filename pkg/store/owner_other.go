//go:build !unix

package store

import "io/fs"

func ownedBy(fs.FileInfo, int, int) bool { return true }
