import { Problem } from "./problem.ts";

/** What the server keeps: more would be sent for nothing. */
export const LONGEST_SIDE = 1600;
export const TAKEN = "image/png,image/jpeg,image/webp,image/gif";
const QUALITY = 0.86;

/** The size that fits, with the shape kept; what is small enough stays as it is. */
export function fitted(width: number, height: number): { width: number; height: number } {
  const scale = Math.min(1, LONGEST_SIDE / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

/**
 * A chosen image as it is sent: made smaller here, so that a photograph of any size can be taken and
 * its place and camera never leave the device. WebP, or JPEG where a browser cannot write that.
 */
export async function prepared(file: Blob): Promise<Blob> {
  const bitmap = await createImageBitmap(file).catch(() => {
    throw new Problem("image_invalid", 400, "Not an image");
  });
  try {
    const { width, height } = fitted(bitmap.width, bitmap.height);
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width, height });
    canvas.getContext("2d")?.drawImage(bitmap, 0, 0, width, height);
    const webp = await written(canvas, "image/webp");
    const blob = webp?.type === "image/webp" ? webp : await written(canvas, "image/jpeg");
    if (blob === null) throw new Problem("image_invalid", 400, "Not an image");
    return blob;
  } finally {
    bitmap.close();
  }
}

const written = (canvas: HTMLCanvasElement, type: string) =>
  new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, type, QUALITY));
