;; Passes over the logits of one token: float32, four at a time. Built by scripts/wasm.mjs; used by logit-row.ts.
;; Ranges are byte addresses, multiples of 16, not empty.
(module
  (memory (import "engine" "memory") 1)

  ;; The largest number. Not a number is passed over here; `sum` shows it.
  (func (export "max") (param $from i32) (param $to i32) (result f32)
    (local $m v128)
    (local.set $m (v128.load (local.get $from)))
    (loop $next
      (local.set $m (f32x4.pmax (v128.load (local.get $from)) (local.get $m)))
      (local.set $from (i32.add (local.get $from) (i32.const 16)))
      (br_if $next (i32.lt_u (local.get $from) (local.get $to))))
    (f32.max
      (f32.max (f32x4.extract_lane 0 (local.get $m)) (f32x4.extract_lane 1 (local.get $m)))
      (f32.max (f32x4.extract_lane 2 (local.get $m)) (f32x4.extract_lane 3 (local.get $m)))))

  ;; The sum of e^(scale * (x - max)). Added up in float32 over 256 numbers, and over those sums in float64.
  (func (export "sum") (param $from i32) (param $to i32) (param $max f32) (param $scale f32) (result f64)
    (local $end i32) (local $total f64) (local $part v128)
    (local $s v128) (local $m v128) (local $x v128) (local $n v128) (local $k v128)
    (local.set $s (f32x4.splat (local.get $scale)))
    (local.set $m (f32x4.splat (local.get $max)))
    (loop $block
      (local.set $end (i32.add (local.get $from) (i32.const 1024)))
      (if (i32.gt_u (local.get $end) (local.get $to)) (then (local.set $end (local.get $to))))
      (local.set $part (v128.const f32x4 0 0 0 0))
      (loop $next
        ;; What is under -87 counts as -87: e^-87 is 1e-38, the smallest normal float32.
        (local.set $x (f32x4.pmax
          (f32x4.mul (f32x4.sub (v128.load (local.get $from)) (local.get $m)) (local.get $s))
          (v128.const f32x4 -87 -87 -87 -87)))
        ;; x = k ln 2 + r with |r| <= ln 2 / 2: adding 1.5 * 2^23 rounds, and leaves k in the low bits of n.
        (local.set $n (f32x4.add
          (f32x4.mul (local.get $x) (v128.const f32x4 1.44269504 1.44269504 1.44269504 1.44269504))
          (v128.const f32x4 12582912 12582912 12582912 12582912)))
        (local.set $k (f32x4.sub (local.get $n) (v128.const f32x4 12582912 12582912 12582912 12582912)))
        ;; ln 2 in two parts, the first one exact for every k.
        (local.set $x (f32x4.sub
          (f32x4.sub (local.get $x)
            (f32x4.mul (local.get $k) (v128.const f32x4 0.693359375 0.693359375 0.693359375 0.693359375)))
          (f32x4.mul (local.get $k)
            (v128.const f32x4 -2.12194440e-4 -2.12194440e-4 -2.12194440e-4 -2.12194440e-4))))
        ;; 2^k times e^r; the polynomial is 1 + r + r^2 p(r), fitted for the smallest relative error (1.05e-7).
        (local.set $part (f32x4.add (local.get $part) (f32x4.mul
          (i32x4.add (i32x4.shl (local.get $n) (i32.const 23))
            (v128.const i32x4 0x3f800000 0x3f800000 0x3f800000 0x3f800000))
          (f32x4.add (f32x4.add (local.get $x) (v128.const f32x4 1 1 1 1))
            (f32x4.mul (f32x4.mul (local.get $x) (local.get $x))
              (f32x4.add (v128.const f32x4 4.9999231495e-1 4.9999231495e-1 4.9999231495e-1 4.9999231495e-1)
              (f32x4.mul (local.get $x)
              (f32x4.add (v128.const f32x4 1.6667114650e-1 1.6667114650e-1 1.6667114650e-1 1.6667114650e-1)
              (f32x4.mul (local.get $x)
              (f32x4.add (v128.const f32x4 4.1890156858e-2 4.1890156858e-2 4.1890156858e-2 4.1890156858e-2)
              (f32x4.mul (local.get $x)
                (v128.const f32x4 8.3125201701e-3 8.3125201701e-3 8.3125201701e-3 8.3125201701e-3))))))))))))
        (local.set $from (i32.add (local.get $from) (i32.const 16)))
        (br_if $next (i32.lt_u (local.get $from) (local.get $end))))
      (local.set $total (f64.add (local.get $total) (f64.add
        (f64.add
          (f64.promote_f32 (f32x4.extract_lane 0 (local.get $part)))
          (f64.promote_f32 (f32x4.extract_lane 1 (local.get $part))))
        (f64.add
          (f64.promote_f32 (f32x4.extract_lane 2 (local.get $part)))
          (f64.promote_f32 (f32x4.extract_lane 3 (local.get $part)))))))
      (br_if $block (i32.lt_u (local.get $from) (local.get $to))))
    (local.get $total))

  ;; Writes the places (counted from 0) of all numbers that are at least the limit, in order; returns how many.
  (func (export "above") (param $from i32) (param $to i32) (param $limit f32) (param $out i32) (result i32)
    (local $start i32) (local $first i32) (local $hits i32)
    (local.set $start (local.get $from))
    (local.set $first (local.get $out))
    (loop $next
      (local.set $hits (i32x4.bitmask
        (f32x4.ge (v128.load (local.get $from)) (f32x4.splat (local.get $limit)))))
      (if (local.get $hits) (then
        (loop $each
          (i32.store (local.get $out) (i32.add
            (i32.shr_u (i32.sub (local.get $from) (local.get $start)) (i32.const 2))
            (i32.ctz (local.get $hits))))
          (local.set $out (i32.add (local.get $out) (i32.const 4)))
          (local.set $hits (i32.and (local.get $hits) (i32.sub (local.get $hits) (i32.const 1))))
          (br_if $each (local.get $hits)))))
      (local.set $from (i32.add (local.get $from) (i32.const 16)))
      (br_if $next (i32.lt_u (local.get $from) (local.get $to))))
    (i32.shr_u (i32.sub (local.get $out) (local.get $first)) (i32.const 2))))
