// Pixels as bytes, row by row and colour by colour (HWC), to normalised planes (CHW), for a batch of pictures.
//
// FIRST, SECOND, THIRD: which byte of a pixel is the first, second and third plane.
// HALF: 1 where elements have 16 bits, else 0.
//
// An element is (x * scale - mean) / std, each operation in single precision and rounded once. The intrinsics are never
// fused into multiply-adds, so that a CPU gives the same bits; 16 bits are rounded from that, half to even.
//
// One thread for a pixel: x counts the pixels of a picture, y the pictures.

// The source is C as well, so that tests can run it on a CPU; they define ON_HOST and what CUDA brings.

#if HALF
typedef unsigned short element;
__device__ inline element rounded(float value) {
    element result;
#ifdef ON_HOST
    result = half_of(value);
#else
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(result) : "f"(value));
#endif
    return result;
}
#else
typedef float element;
__device__ inline element rounded(float value) { return value; }
#endif

__device__ inline element normalised(unsigned char grey, float scale, float mean, float std) {
    return rounded(__fdiv_rn(__fsub_rn(__fmul_rn((float)grey, scale), mean), std));
}

#ifdef __cplusplus
extern "C"
#endif
__global__ void normalise(
    const unsigned char* pictures, element* tensor, unsigned int pixels, float scale,
    float mean0, float mean1, float mean2, float std0, float std1, float std2) {
    const unsigned int at = blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= pixels) {
        return;
    }
    const size_t picture = (size_t)blockIdx.y * 3 * pixels;
    const unsigned char* pixel = pictures + picture + (size_t)at * 3;
    element* target = tensor + picture + at;
    target[0] = normalised(pixel[FIRST], scale, mean0, std0);
    target[pixels] = normalised(pixel[SECOND], scale, mean1, std1);
    target[2 * (size_t)pixels] = normalised(pixel[THIRD], scale, mean2, std2);
}
