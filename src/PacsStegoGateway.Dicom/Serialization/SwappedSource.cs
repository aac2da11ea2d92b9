namespace PacsStegoGateway.Dicom;

/// <summary>The numbers of a value field in the other byte order, turned while they are read.</summary>
internal sealed class SwappedSource : ByteSource
{
    private readonly ByteSource _value;
    private readonly int _unit;

    private SwappedSource(ByteSource value, int unit)
    {
        _value = value;
        _unit = unit;
    }

    public override long Length => _value.Length;

    /// <param name="value">A whole value field; one that was turned already comes out as it was.</param>
    /// <param name="unit">Bytes of one number: 2, 4 or 8.</param>
    public static ByteSource Of(ByteSource value, int unit) =>
        value is SwappedSource swapped && swapped._unit == unit ? swapped._value : new SwappedSource(value, unit);

    protected internal override void ReadInside(long offset, Span<byte> destination)
    {
        // Numbers at either end may be asked for in part; they are read whole and cut. What follows the last whole number stays.
        Span<byte> number = stackalloc byte[8];
        while (!destination.IsEmpty)
        {
            int skipped = (int)(offset % _unit);
            int length = skipped == 0 ? destination.Length - (destination.Length % _unit) : 0;
            if (length == 0)
            {
                long start = offset - skipped;
                Span<byte> whole = number[..(int)Math.Min(_unit, Length - start)];
                _value.ReadInside(start, whole);
                ByteOrder.Swap(whole, _unit, whole);
                length = Math.Min(destination.Length, whole.Length - skipped);
                whole.Slice(skipped, length).CopyTo(destination);
            }
            else
            {
                _value.ReadInside(offset, destination[..length]);
                ByteOrder.Swap(destination[..length], _unit, destination[..length]);
            }

            destination = destination[length..];
            offset += length;
        }
    }
}
