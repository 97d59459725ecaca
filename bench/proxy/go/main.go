// The reverse proxy of Go's standard library, tuned as one would in earnest: enough kept connections, and pooled buffers.
package main

import (
	"flag"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"time"
)

const copyBytes = 32 << 10

type buffers struct{ pool sync.Pool }

func (b *buffers) Get() []byte      { return *b.pool.Get().(*[]byte) }
func (b *buffers) Put(bytes []byte) { b.pool.Put(&bytes) }

func proxyTo(address string, pool *buffers) *httputil.ReverseProxy {
	target := &url.URL{Scheme: "http", Host: address}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.BufferPool = pool
	proxy.Transport = &http.Transport{
		DialContext:         (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		MaxIdleConns:        4096,
		MaxIdleConnsPerHost: 1024,
		IdleConnTimeout:     10 * time.Minute,
		DisableCompression:  true,
	}
	return proxy
}

func main() {
	listen := flag.String("listen", "", "host:port to listen on")
	backEnd := flag.String("back-end", "", "host:port of the back end")
	marker := flag.String("marker", "", "what sends a request elsewhere, when its baggage has it")
	flag.Parse()
	pool := &buffers{sync.Pool{New: func() any {
		bytes := make([]byte, copyBytes)
		return &bytes
	}}}
	live, other := proxyTo(*backEnd, pool), proxyTo(*backEnd, pool)
	handler := http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		if strings.Contains(request.Header.Get("Baggage"), *marker) {
			other.ServeHTTP(writer, request)
			return
		}
		live.ServeHTTP(writer, request)
	})
	server := &http.Server{Addr: *listen, Handler: handler}
	log.Fatal(server.ListenAndServe())
}
