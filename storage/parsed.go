package storage

import (
	"reflect"
	"sync"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// parsed remembers what JSON of a column says. The text itself is read from the
// database each time, so a change is seen at once, by every process; only parsing
// it, which takes as long as reading it, is done once.
type parsed[T any] struct {
	mu sync.RWMutex
	of map[string]T
	// flat reports that a value is made of what ownCopy copies; nil = any is.
	flat   func(*T) bool
	shared []int
}

const (
	mostParsed    = 256
	longestParsed = 4 << 10 // bytes of a text that is remembered
)

var (
	clientMetadata = newParsed(func(m *vneid.ClientMetadata) bool { return m.JWKS == nil })
	authRequests   = newParsed(func(r *vneid.AuthRequest) bool { return r.Claims == nil && r.Subjects == nil && r.MaxAge == nil })
	origins        = newParsed[vneid.Origin](nil)
	qrColumns      = newParsed[qrColumn](nil)
)

func newParsed[T any](flat func(*T) bool) *parsed[T] {
	return &parsed[T]{flat: flat, shared: sharedFields[T]()}
}

func (p *parsed[T]) parse(text string) (v T, err error) {
	p.mu.RLock()
	v, ok := p.of[text]
	p.mu.RUnlock()
	if ok {
		return p.ownCopy(v), nil
	}
	if err := fromJSON(text, &v); err != nil || p.flat != nil && !p.flat(&v) || len(text) > longestParsed {
		return v, err
	}
	p.mu.Lock()
	if p.of == nil || len(p.of) >= mostParsed {
		p.of = map[string]T{}
	}
	p.of[text] = p.ownCopy(v)
	p.mu.Unlock()
	return v, nil
}

// sharedFields are those of a struct that two copies of it share: lists of texts
// and pointers to a bool.
func sharedFields[T any]() (list []int) {
	of := reflect.TypeFor[T]()
	for i := range of.NumField() {
		if t := of.Field(i).Type; t == reflect.TypeFor[[]string]() || t == reflect.TypeFor[*bool]() {
			list = append(list, i)
		}
	}
	return list
}

// ownCopy shares nothing that its owner could change.
func (p *parsed[T]) ownCopy(m T) T {
	v := reflect.ValueOf(&m).Elem()
	for _, i := range p.shared {
		switch f := v.Field(i).Addr().Interface().(type) {
		case *[]string:
			if *f != nil {
				*f = append(make([]string, 0, len(*f)), *f...)
			}
		case **bool:
			if *f != nil {
				b := **f
				*f = &b
			}
		}
	}
	return m
}
