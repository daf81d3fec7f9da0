;; The Wasm of trackers/floor.js: the event lies in its memory, and `run` hands it to the page. `@event` and `@length` are
;; filled in from order.js.
(module
  (import "page" "send" (func $send (param i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "@event")
  (func (export "run")
    (call $send (i32.const 0) (i32.const @length))))
