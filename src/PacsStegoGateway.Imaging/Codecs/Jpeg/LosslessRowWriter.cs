using System.Runtime.InteropServices;

namespace PacsStegoGateway.Imaging.Codecs.Jpeg;

/// <summary>Puts decoded rows where they belong in the frame: point transform undone, sign extended, 8 or 16 bits wide.</summary>
internal readonly struct LosslessRowWriter
{
    private readonly byte[] _frame;
    private readonly FrameFormat _format;
    private readonly LosslessScan _scan;
    private readonly int _up;
    private readonly int _down;
    private readonly bool _isPlain;

    /// <param name="precision">Bits of a sample in the codestream.</param>
    public LosslessRowWriter(byte[] frame, FrameFormat format, int precision, LosslessScan scan)
    {
        _frame = frame;
        _format = format;
        _scan = scan;
        _down = 32 - precision;
        _up = _down + scan.PointTransform;
        _isPlain = precision == 16 && scan.PointTransform == 0 && scan.Components.AsSpan().SequenceEqual([.. Enumerable.Range(0, format.SamplesPerPixel)]);
    }

    public void Write(ReadOnlySpan<ushort> row, int index)
    {
        int samples = _format.SamplesPerPixel;
        int from = index * _format.Columns * samples;
        if (_format.BitsAllocated == 16)
        {
            Span<ushort> target = MemoryMarshal.Cast<byte, ushort>(_frame.AsSpan()).Slice(from, _format.Columns * samples);
            if (_isPlain)
            {
                row.CopyTo(target);
                return;
            }

            for (int c = 0; c < _scan.Components.Length; c++)
            {
                for (int i = c, at = _scan.Components[c]; i < row.Length; i += _scan.Components.Length, at += samples)
                {
                    target[at] = (ushort)Extend(row[i]);
                }
            }
        }
        else
        {
            Span<byte> target = _frame.AsSpan(from, _format.Columns * samples);
            for (int c = 0; c < _scan.Components.Length; c++)
            {
                for (int i = c, at = _scan.Components[c]; i < row.Length; i += _scan.Components.Length, at += samples)
                {
                    target[at] = (byte)Extend(row[i]);
                }
            }
        }
    }

    private int Extend(ushort sample)
    {
        int left = sample << _up;
        return _format.IsSigned ? left >> _down : (int)((uint)left >> _down);
    }
}
