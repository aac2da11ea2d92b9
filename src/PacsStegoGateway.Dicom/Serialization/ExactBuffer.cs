using System.Buffers;

namespace PacsStegoGateway.Dicom;

/// <summary>An array of known length that is filled once.</summary>
internal sealed class ExactBuffer(int length) : IBufferWriter<byte>
{
    private readonly byte[] _bytes = GC.AllocateUninitializedArray<byte>(length);
    private int _written;

    public void Advance(int count) => _written += count;

    public Memory<byte> GetMemory(int sizeHint = 0) => _bytes.AsMemory(_written);

    public Span<byte> GetSpan(int sizeHint = 0) => _bytes.AsSpan(_written);

    /// <exception cref="InvalidOperationException">Fewer bytes were written than had been counted.</exception>
    public byte[] Complete() => _written == _bytes.Length
        ? _bytes
        : throw new InvalidOperationException($"{_written} bytes were written where {_bytes.Length} had been counted.");
}
