//go:build !unix

package store

import (
	"io/fs"
	"os"
)

func ownedBy(fs.FileInfo, int, int) bool { return true }

func names(fs.FileInfo) int { return 1 }

func giveLike(*os.File, fs.FileInfo) error { return nil }
