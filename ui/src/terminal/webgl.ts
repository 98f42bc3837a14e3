import { GlyphAtlas, type Slot } from './atlas';
import type { Rgb, TerminalTheme } from './colors';
import type { Metrics } from './metrics';
import type { Painter } from './painter';
import type { RowPaint } from './rowpaint';
import { ruleRects, type Rect } from './rules';

const RECT_VERTEX = `#version 300 es
layout(location=0) in vec2 corner; layout(location=1) in vec4 box; layout(location=2) in vec4 color;
uniform vec2 size; out vec4 tint;
void main(){ vec2 p=(box.xy+corner*box.zw)/size*2.0-1.0; gl_Position=vec4(p.x,-p.y,0,1); tint=color; }`;
const RECT_FRAGMENT = `#version 300 es
precision mediump float; in vec4 tint; out vec4 pixel; void main(){ pixel=tint; }`;
const GLYPH_VERTEX = `#version 300 es
layout(location=0) in vec2 corner; layout(location=1) in vec4 box; layout(location=2) in vec4 color; layout(location=3) in vec2 source;
uniform vec2 size; uniform float atlas; out vec4 tint; out vec2 at;
void main(){ vec2 p=(box.xy+corner*box.zw)/size*2.0-1.0; gl_Position=vec4(p.x,-p.y,0,1); tint=color; at=(source+corner*box.zw)/atlas; }`;
// Alpha 0 in the tint marks a slot with colours of its own.
const GLYPH_FRAGMENT = `#version 300 es
precision mediump float; in vec4 tint; in vec2 at; uniform sampler2D glyphs; out vec4 pixel;
void main(){ vec4 t=texture(glyphs,at); pixel=tint.a>0.5 ? vec4(tint.rgb*t.a,t.a) : t; }`;

/** Bytes of one instance: box (4 floats), colour (4 bytes), source (2 floats, glyphs only). */
const RECT_STRIDE = 20;
const GLYPH_STRIDE = 28;

/** Instance data of one row, kept until the row changes. */
interface RowData { fills: Uint8Array; glyphs: Uint8Array; rules: Uint8Array }

const SOFTWARE = /llvmpipe|swiftshader|softpipe|software|basic render/iu;

/** Whether WebGL2 is there and drawn by hardware. */
export function hasFastGl(): boolean {
  const gl = document.createElement('canvas').getContext('webgl2');
  if (!gl) return false;
  const info = gl.getExtension('WEBGL_debug_renderer_info');
  const name = String(gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
  gl.getExtension('WEBGL_lose_context')?.loseContext();
  return !SOFTWARE.test(name);
}

/** Paints with instanced quads from a glyph atlas texture. */
export class WebglPainter implements Painter {
  readonly kind = 'webgl2';
  readonly canvas = document.createElement('canvas');
  readonly #gl: WebGL2RenderingContext;
  readonly #rects: Pass;
  readonly #glyphs: Pass;
  readonly #texture: WebGLTexture;
  #atlas: GlyphAtlas | null = null;
  #generation = 0;
  #metrics: Metrics | null = null;
  #theme: TerminalTheme | null = null;
  #rows: (RowData | null)[] = [];
  #paints: (RowPaint | null)[] = [];

  /** `onLost` is called once when the GL context goes away. */
  constructor(onLost: () => void) {
    const gl = this.canvas.getContext('webgl2', { alpha: false, antialias: false, depth: false, stencil: false, preserveDrawingBuffer: false });
    if (!gl) throw new Error('the web view gives no WebGL2');
    this.#gl = gl;
    this.#rects = new Pass(gl, RECT_VERTEX, RECT_FRAGMENT, RECT_STRIDE);
    this.#glyphs = new Pass(gl, GLYPH_VERTEX, GLYPH_FRAGMENT, GLYPH_STRIDE);
    this.#texture = gl.createTexture();
    this.canvas.addEventListener('webglcontextlost', (event) => {
      event.preventDefault();
      onLost();
    }, { once: true });
  }

  configure(metrics: Metrics, theme: TerminalTheme, cols: number, rows: number): void {
    const gl = this.#gl;
    const same = this.#metrics;
    if (!this.#atlas || !same || same.fontPx !== metrics.fontPx || same.family !== metrics.family || same.cellW !== metrics.cellW) {
      this.#atlas = new GlyphAtlas(metrics, true);
      this.#atlas.onDrawn = (slot) => this.#upload(slot);
      this.#generation = this.#atlas.generation;
      gl.bindTexture(gl.TEXTURE_2D, this.#texture);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, this.#atlas.size, this.#atlas.size, 0, gl.RGBA, gl.UNSIGNED_BYTE, null);
      for (const [name, value] of [[gl.TEXTURE_MIN_FILTER, gl.NEAREST], [gl.TEXTURE_MAG_FILTER, gl.NEAREST], [gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE], [gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE]] as const) {
        gl.texParameteri(gl.TEXTURE_2D, name, value);
      }
    }
    this.#metrics = metrics;
    this.#theme = theme;
    this.#rows = Array.from({ length: rows }, () => null);
    this.#paints = Array.from({ length: rows }, () => null);
    const [width, height] = [cols * metrics.cellW, rows * metrics.cellH];
    if (this.canvas.width !== width) this.canvas.width = width;
    if (this.canvas.height !== height) this.canvas.height = height;
  }

  paint(changed: ReadonlyMap<number, RowPaint>): void {
    const metrics = this.#metrics;
    const theme = this.#theme;
    const atlas = this.#atlas;
    if (!metrics || !theme || !atlas || this.#gl.isContextLost()) return;
    for (const [row, paint] of changed) {
      this.#paints[row] = paint;
      this.#rows[row] = this.#build(row, paint, metrics, atlas);
    }
    // The atlas started over while rows were laid out: slots of every row moved.
    if (atlas.generation !== this.#generation) {
      this.#paints.forEach((paint, row) => {
        if (paint) this.#rows[row] = this.#build(row, paint, metrics, atlas);
      });
      this.#generation = atlas.generation;
    }
    this.#draw(theme);
  }

  dispose(): void {
    this.#gl.getExtension('WEBGL_lose_context')?.loseContext();
    this.canvas.remove();
  }

  #draw(theme: TerminalTheme): void {
    const gl = this.#gl;
    const { width, height } = this.canvas;
    gl.viewport(0, 0, width, height);
    gl.disable(gl.BLEND);
    gl.clearColor(((theme.bg >> 16) & 255) / 255, ((theme.bg >> 8) & 255) / 255, (theme.bg & 255) / 255, 1);
    gl.clear(gl.COLOR_BUFFER_BIT);
    const rows = this.#rows.filter((row) => row !== null);
    this.#rects.draw(rows.map((row) => row.fills), width, height);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.bindTexture(gl.TEXTURE_2D, this.#texture);
    this.#glyphs.draw(rows.map((row) => row.glyphs), width, height, this.#atlas?.size);
    gl.disable(gl.BLEND);
    this.#rects.draw(rows.map((row) => row.rules), width, height);
  }

  #build(row: number, paint: RowPaint, metrics: Metrics, atlas: GlyphAtlas): RowData {
    const { cellW, cellH } = metrics;
    const y = row * cellH;
    const fills = paint.fills.map((fill): Rect => ({ x: fill.col * cellW, y, w: fill.cells * cellW, h: cellH, color: fill.color }));
    const rules: Rect[] = [];
    ruleRects(row, paint, metrics, rules);
    const glyphs = new Instances(paint.glyphs.length, GLYPH_STRIDE);
    for (const glyph of paint.glyphs) {
      const slot = atlas.slot(glyph.text, glyph.cells, glyph.bold, glyph.italic, null);
      glyphs.box(glyph.col * cellW - slot.pad, y, slot.w, slot.h, glyph.color, slot.colored ? 0 : 255);
      glyphs.source(slot.x, slot.y);
    }
    return { fills: rectInstances(fills), glyphs: glyphs.bytes, rules: rectInstances(rules) };
  }

  #upload(slot: Slot): void {
    const gl = this.#gl;
    const pixels = this.#atlas?.context.getImageData(slot.x, slot.y, slot.w, slot.h);
    if (!pixels) return;
    gl.bindTexture(gl.TEXTURE_2D, this.#texture);
    gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, slot.colored);
    gl.texSubImage2D(gl.TEXTURE_2D, 0, slot.x, slot.y, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
  }
}

/** Packs instances into bytes. */
class Instances {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  readonly #stride: number;
  #at = -1;

  constructor(count: number, stride: number) {
    this.bytes = new Uint8Array(count * stride);
    this.#view = new DataView(this.bytes.buffer);
    this.#stride = stride;
  }

  box(x: number, y: number, w: number, h: number, color: Rgb, alpha: number): void {
    this.#at += 1;
    const at = this.#at * this.#stride;
    this.#view.setFloat32(at, x, true);
    this.#view.setFloat32(at + 4, y, true);
    this.#view.setFloat32(at + 8, w, true);
    this.#view.setFloat32(at + 12, h, true);
    this.#view.setUint32(at + 16, ((color << 8) | alpha) >>> 0, false);
  }

  source(x: number, y: number): void {
    const at = this.#at * this.#stride + RECT_STRIDE;
    this.#view.setFloat32(at, x, true);
    this.#view.setFloat32(at + 4, y, true);
  }
}

function rectInstances(rects: readonly Rect[]): Uint8Array {
  const packed = new Instances(rects.length, RECT_STRIDE);
  for (const rect of rects) packed.box(rect.x, rect.y, rect.w, rect.h, rect.color, 255);
  return packed.bytes;
}

/** A program with its instance buffer. */
class Pass {
  readonly #gl: WebGL2RenderingContext;
  readonly #program: WebGLProgram;
  readonly #array: WebGLVertexArrayObject;
  readonly #buffer: WebGLBuffer;
  readonly #stride: number;

  constructor(gl: WebGL2RenderingContext, vertex: string, fragment: string, stride: number) {
    this.#gl = gl;
    this.#stride = stride;
    this.#program = link(gl, vertex, fragment);
    this.#array = gl.createVertexArray();
    gl.bindVertexArray(this.#array);
    const corners = gl.createBuffer();
    gl.bindBuffer(gl.ARRAY_BUFFER, corners);
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([0, 0, 1, 0, 0, 1, 1, 1]), gl.STATIC_DRAW);
    gl.enableVertexAttribArray(0);
    gl.vertexAttribPointer(0, 2, gl.FLOAT, false, 0, 0);
    this.#buffer = gl.createBuffer();
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#buffer);
    const attribute = (at: number, size: number, type: number, normal: boolean, offset: number) => {
      gl.enableVertexAttribArray(at);
      gl.vertexAttribPointer(at, size, type, normal, stride, offset);
      gl.vertexAttribDivisor(at, 1);
    };
    attribute(1, 4, gl.FLOAT, false, 0);
    attribute(2, 4, gl.UNSIGNED_BYTE, true, 16);
    if (stride > RECT_STRIDE) attribute(3, 2, gl.FLOAT, false, RECT_STRIDE);
    gl.bindVertexArray(null);
  }

  draw(parts: readonly Uint8Array[], width: number, height: number, atlas?: number): void {
    const gl = this.#gl;
    const bytes = parts.reduce((sum, part) => sum + part.byteLength, 0);
    if (bytes === 0) return;
    const all = new Uint8Array(bytes);
    let at = 0;
    for (const part of parts) {
      all.set(part, at);
      at += part.byteLength;
    }
    gl.useProgram(this.#program);
    gl.uniform2f(gl.getUniformLocation(this.#program, 'size'), width, height);
    if (atlas !== undefined) gl.uniform1f(gl.getUniformLocation(this.#program, 'atlas'), atlas);
    gl.bindVertexArray(this.#array);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#buffer);
    gl.bufferData(gl.ARRAY_BUFFER, all, gl.DYNAMIC_DRAW);
    gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, bytes / this.#stride);
    gl.bindVertexArray(null);
  }
}

function link(gl: WebGL2RenderingContext, vertex: string, fragment: string): WebGLProgram {
  const program = gl.createProgram();
  for (const [type, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]] as const) {
    const shader = gl.createShader(type);
    if (!shader) throw new Error('the web view gives no shader');
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(`shaders do not link: ${gl.getProgramInfoLog(program) ?? ''}`);
  return program;
}
