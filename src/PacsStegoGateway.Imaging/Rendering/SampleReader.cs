using System.Buffers.Binary;
using PacsStegoGateway.Imaging.Codecs;
using PacsStegoGateway.Imaging.Frames;

namespace PacsStegoGateway.Imaging.Rendering;

/// <summary>Reads single samples of a frame, whatever their layout.</summary>
internal readonly ref struct SampleReader
{
    private readonly ReadOnlySpan<byte> _bytes;
    private readonly FrameFormat _format;
    private readonly SampleKind _kind;
    private readonly int _bitOffset;
    private readonly int _down;
    private readonly uint _mask;

    public SampleReader(PixelFrame frame)
    {
        _bytes = frame.Bytes.Span;
        _format = frame.Format;
        _kind = frame.Samples;
        _bitOffset = frame.BitOffset;
        _down = frame.Samples == SampleKind.Integer ? frame.Format.HighBit + 1 - frame.Format.BitsStored : 0;
        _mask = frame.Samples == SampleKind.Integer ? (uint)((1L << frame.Format.BitsStored) - 1) : uint.MaxValue;
    }

    /// <summary>The bits within BitsStored of the sample at an index, no sign extended.</summary>
    public uint Field(int index) => _mask & (_format.BitsAllocated switch
    {
        8 => (uint)_bytes[index] >> _down,
        16 => (uint)BinaryPrimitives.ReadUInt16LittleEndian(_bytes[(index * 2)..]) >> _down,
        32 => BinaryPrimitives.ReadUInt32LittleEndian(_bytes[(index * 4)..]) >> _down,
        _ => (uint)_bytes[(int)(((long)index + _bitOffset) / 8)] >> (int)(((long)index + _bitOffset) % 8),
    });

    /// <summary>The stored value at an index: sign extended, or a floating point number.</summary>
    public double Value(int index) => _kind switch
    {
        SampleKind.Float32 => BinaryPrimitives.ReadSingleLittleEndian(_bytes[(index * 4)..]),
        SampleKind.Float64 => BinaryPrimitives.ReadDoubleLittleEndian(_bytes[(index * 8)..]),
        _ => Stored(Field(index), _format),
    };

    /// <summary>A field as the number it means.</summary>
    public static double Stored(uint field, FrameFormat format) =>
        format.IsSigned ? (int)(field << (32 - format.BitsStored)) >> (32 - format.BitsStored) : field;
}
