using System.Buffers.Binary;

namespace PacsStegoGateway.Imaging.Rendering;

/// <summary>Writes levels of 0 to 1 as samples of 8 or 16 bits.</summary>
internal static class Levels
{
    public static int MaximumOf(int bits) => (1 << bits) - 1;

    /// <summary>The nearest level; not a number becomes black.</summary>
    public static ushort Of(double level, int maximum) =>
        double.IsNaN(level) ? (ushort)0 : (ushort)Math.Round(Math.Clamp(level, 0, 1) * maximum, MidpointRounding.AwayFromZero);

    /// <summary>Puts one sample at an index.</summary>
    public static void Put(byte[] samples, int bits, int index, ushort level)
    {
        if (bits == 8)
        {
            samples[index] = (byte)level;
        }
        else
        {
            BinaryPrimitives.WriteUInt16BigEndian(samples.AsSpan(index * 2), level);
        }
    }
}
