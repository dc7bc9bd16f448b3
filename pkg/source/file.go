// Package source reads YAML files into values that know where they stand. It is the only importer of
// yaml.v3.
package source

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// MaxSize is the size in bytes above which Parse refuses a file: no configuration of a stack comes near
// it, and a mistyped path to a disk image must not be read into memory.
const MaxSize = 4 << 20

// maxNodes bounds a document once every alias is followed, so that no walk over values can be made to
// run for ever by a file of nested aliases.
const maxNodes = 200_000

// File is one parsed YAML file: Path as shown to people, Src the bytes as read.
type File struct {
	Path string
	Src  []byte

	root       *yaml.Node
	head, foot string // comments of the document, which belong to none of its values

	once    sync.Once // guards what Snippet needs: rules of one run share the file
	lines   []string
	scalars map[int][]scalar
	uses    map[*yaml.Node][]use
}

// Problem is what makes a file unreadable: the place, the fact, and what to do about it ("" when the fact
// says it).
type Problem struct {
	Pos
	Message, Fix string
}

// Parse reads one YAML document. The problem, nil when there is none, names what makes the file unreadable:
// not UTF-8, binary, larger than MaxSize, a syntax error, aliases without end, a second document. Then the
// file has no usable content: every value of it is absent. An empty file is no problem here.
func Parse(path string, src []byte) (*File, *Problem) {
	f := &File{Path: path, Src: src}
	fail := func(line int, msg, fix string) (*File, *Problem) {
		return f, &Problem{Pos: Pos{File: path, Line: line, Col: min(line, 1)}, Message: msg, Fix: fix}
	}
	switch {
	case len(src) > MaxSize:
		return fail(0, fmt.Sprintf("the file is larger than %d MiB; no configuration file is", MaxSize>>20), "name the right file")
	case bytes.IndexByte(src, 0) >= 0:
		return fail(0, "the file is binary, not YAML", "name the right file")
	case !utf8.Valid(src):
		return fail(invalidLine(src), "the file is not UTF-8", "save it as UTF-8")
	}
	src = bytes.TrimPrefix(src, []byte("\xef\xbb\xbf"))
	dec := yaml.NewDecoder(bytes.NewReader(src))
	var doc yaml.Node
	if err := decodeNode(dec, &doc); errors.Is(err, io.EOF) {
		return f, nil
	} else if err != nil {
		return fail(syntaxError(src, err))
	}
	var second yaml.Node
	switch err := decodeNode(dec, &second); {
	case err == nil:
		return fail(second.Line, "the file holds a second YAML document; only the first would be read", "remove the line `---` or what follows it")
	case !errors.Is(err, io.EOF):
		return fail(syntaxError(src, err))
	}
	budget := maxNodes
	if err := measure(&doc, &budget, 0); err != nil {
		return fail(doc.Line, err.Error(), "write the values out instead of using aliases")
	}
	if len(doc.Content) > 0 {
		f.root, f.head, f.foot = doc.Content[0], doc.HeadComment, doc.FootComment
	}
	return f, nil
}

// decodeNode turns a panic of yaml.v3, which some malformed inputs cause, into an error.
func decodeNode(dec *yaml.Decoder, n *yaml.Node) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("yaml: %v", r)
		}
	}()
	return dec.Decode(n)
}

func invalidLine(src []byte) int {
	valid := 0
	for valid < len(src) {
		r, n := utf8.DecodeRune(src[valid:])
		if r == utf8.RuneError && n == 1 {
			break
		}
		valid += n
	}
	return 1 + bytes.Count(src[:valid], []byte("\n"))
}

func measure(n *yaml.Node, budget *int, depth int) error {
	if *budget--; *budget < 0 {
		return errors.New("the aliases of the file expand to too many values")
	}
	if depth > 1000 {
		return errors.New("the values of the file are nested too deeply, or an anchor contains itself")
	}
	if n.Kind == yaml.AliasNode {
		return measure(n.Alias, budget, depth+1)
	}
	for _, c := range n.Content {
		if err := measure(c, budget, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// Root is the top value of the file; absent when the file is empty or unreadable.
func (f *File) Root() Value { return Value{file: f, node: f.root} }

// At is Root().At(path...).
func (f *File) At(path ...string) Value { return f.Root().At(path...) }
