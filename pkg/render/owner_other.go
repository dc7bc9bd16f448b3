//go:build !unix

package render

import "io/fs"

func ownedBy(fs.FileInfo, int, int) bool { return true }

func owner(int, int) any { return nil }
