// Command floor does nothing but the reading and writing of a render, in the same way and with the same
// syncs: what no generator can be faster than.
package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
)

// main takes a list of lines `read FILE` and `write FROM TO`. It reads all files first, then writes every
// new one beside its place, and renames them into place, with a sync of each directory.
func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "floor:", err)
		os.Exit(1)
	}
}

func run(list string) error {
	in, err := os.Open(list)
	if err != nil {
		return err
	}
	defer in.Close()
	var temps, places []string
	var contents [][]byte
	for lines := bufio.NewScanner(in); lines.Scan(); {
		var verb, from, to string
		_, _ = fmt.Sscan(lines.Text(), &verb, &from, &to) // a read has no third word
		data, err := os.ReadFile(from)
		if err != nil {
			return err
		}
		if verb == "write" {
			temps, places, contents = append(temps, to+".floor"), append(places, to), append(contents, data)
		}
	}
	for i, temp := range temps {
		if err := write(temp, contents[i]); err != nil {
			return err
		}
	}
	for i, place := range places {
		if err := os.Rename(temps[i], place); err != nil {
			return err
		}
		if dir := filepath.Dir(place); i+1 == len(places) || filepath.Dir(places[i+1]) != dir {
			if err := syncDir(dir); err != nil {
				return err
			}
		}
	}
	return nil
}

func write(name string, data []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Write(data); err != nil {
		return err
	}
	return f.Sync()
}

func syncDir(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
