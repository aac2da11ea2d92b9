namespace PacsStegoGateway.Segmentation;

/// <summary>Spreads the network's square mask over its box, at cell resolution, by bilinear interpolation.</summary>
internal static class MaskPaste
{
    /// <summary>Fills <see cref="SegmentationBuffers.Probabilities"/>; outside the box they are 0.</summary>
    /// <param name="box">x0, y0, x1, y1 in network pixels, edges (not centres); may reach beyond the image.</param>
    /// <param name="mask">Probabilities, row-major, centres evenly spaced over the box.</param>
    /// <param name="model">Sizes.</param>
    /// <param name="buffers">Width and Height set.</param>
    public static void ToCells(ReadOnlySpan<float> box, ReadOnlySpan<float> mask, ModelDescription model, SegmentationBuffers buffers)
    {
        int size = model.Outputs.MaskSize;
        Axis across = new(box[0], box[2], (float)model.Input.Width / buffers.Width, size, buffers.Width);
        Axis down = new(box[1], box[3], (float)model.Input.Height / buffers.Height, size, buffers.Height);
        Span<float> probabilities = buffers.Probabilities.AsSpan(0, buffers.Length);
        probabilities.Clear();
        for (int y = down.First; y < down.End; y++)
        {
            (int upper, int lower, float downPart) = down.At(y);
            Span<float> row = probabilities.Slice(y * buffers.Width, buffers.Width);
            for (int x = across.First; x < across.End; x++)
            {
                (int left, int right, float part) = across.At(x);
                float above = mask[(upper * size) + left] + (part * (mask[(upper * size) + right] - mask[(upper * size) + left]));
                float below = mask[(lower * size) + left] + (part * (mask[(lower * size) + right] - mask[(lower * size) + left]));
                row[x] = above + (downPart * (below - above));
            }
        }
    }

    /// <summary>One direction: which cells have their centre in the box, and where in the mask each lies.</summary>
    private readonly struct Axis
    {
        private readonly float _from;
        private readonly float _step;
        private readonly float _scale;
        private readonly int _size;

        public Axis(float from, float to, float step, int size, int cells)
        {
            float extent = to - from;
            (_from, _step, _size) = (from, step, size);
            _scale = extent > 0 ? size / extent : 0;
            First = float.IsFinite(extent) && extent > 0 ? (int)Math.Clamp(MathF.Ceiling((from / step) - 0.5f), 0, cells) : 0;
            End = float.IsFinite(extent) && extent > 0 ? (int)Math.Clamp(MathF.Ceiling((to / step) - 0.5f), 0, cells) : 0;
        }

        public int First { get; }

        public int End { get; }

        public (int Lower, int Upper, float Part) At(int cell)
        {
            float position = Math.Clamp(((((cell + 0.5f) * _step) - _from) * _scale) - 0.5f, 0, _size - 1);
            int lower = Math.Min((int)position, _size - 2);
            return (lower, lower + 1, position - lower);
        }
    }
}
