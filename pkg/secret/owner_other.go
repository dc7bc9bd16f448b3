//go:build !unix

package secret

import (
	"io/fs"
	"os"
)

func giveTo(*os.File, fs.FileInfo) error { return nil }
