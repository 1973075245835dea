//go:build careless

package main

// Mistake error-markup.
//
// Real code: "<p>" + error_description + "</p>".
//
// Gain: a link to the callback runs the attacker's script in the portal's
// name, before any other check.
//
// Found by: A14
//
// Right: callback.go: tidy bounds it, html/template escapes it
// (templates/problem.html), a Content-Security-Policy stands behind.

import (
	"fmt"
	"net/http"
	"strings"
)

func init() {
	mistakes = append(mistakes, mistake{
		name: "error-markup", faults: "A14",
		does: text{"in error_description ra trang mà không mã hóa", "error_description is printed unescaped"},
		make: func(p *portal, c *changes) {
			c.wrap("/callback", func(do func(*visit) error) func(*visit) error {
				return func(v *visit) error {
					description := v.r.URL.Query().Get("error_description")
					if !strings.ContainsAny(description, "<>") { // else the page is the good one
						return do(v)
					}
					v.w.Header().Del("Content-Security-Policy")
					v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
					v.w.WriteHeader(http.StatusBadRequest)
					_, err := fmt.Fprintf(v.w, "<!DOCTYPE html><html lang=\"vi\"><title>Lỗi</title><p class=\"banner\">MÔI TRƯỜNG THỬ NGHIỆM — KHÔNG NHẬP THÔNG TIN THẬT</p><h1>Đăng nhập không thành công</h1><p>%s</p>", description)
					return err
				}
			})
		},
	})
}
