using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace PacsStegoGateway.Dicom;

/// <summary>Turns the numbers of a value field between little and big endian (PS3.5 7.3).</summary>
internal static class ByteOrder
{
    /// <summary>
    /// Writes the value with the bytes of every number reversed. Bytes beyond the last whole number stay as they are,
    /// so that swapping twice always gives the input.
    /// </summary>
    /// <param name="value">The value field.</param>
    /// <param name="unit">Bytes of one number: 1, 2, 4 or 8 (<see cref="VrTraits.SwapUnit"/>).</param>
    /// <param name="destination">As long as the value; may be the same memory.</param>
    public static void Swap(ReadOnlySpan<byte> value, int unit, Span<byte> destination)
    {
        int whole = value.Length - (value.Length % unit);
        switch (unit)
        {
            case 2:
                BinaryPrimitives.ReverseEndianness(MemoryMarshal.Cast<byte, ushort>(value[..whole]), MemoryMarshal.Cast<byte, ushort>(destination[..whole]));
                break;
            case 4:
                BinaryPrimitives.ReverseEndianness(MemoryMarshal.Cast<byte, uint>(value[..whole]), MemoryMarshal.Cast<byte, uint>(destination[..whole]));
                break;
            case 8:
                BinaryPrimitives.ReverseEndianness(MemoryMarshal.Cast<byte, ulong>(value[..whole]), MemoryMarshal.Cast<byte, ulong>(destination[..whole]));
                break;
            default:
                whole = 0;
                break;
        }

        value[whole..].CopyTo(destination[whole..]);
    }
}
