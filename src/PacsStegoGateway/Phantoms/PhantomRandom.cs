using System.Security.Cryptography;
using System.Text;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Phantoms;

/// <summary>A stream of numbers that is the same on every machine and runtime for the same seed and name (SplitMix64).</summary>
/// <remarks><see cref="Random"/> promises no such thing from one runtime to the next.</remarks>
internal sealed class PhantomRandom(int seed, string name)
{
    private readonly byte[] _root = SHA256.HashData(Encoding.UTF8.GetBytes($"phantom {seed} {name}"));
    private ulong _state = BitConverter.ToUInt64(SHA256.HashData(Encoding.UTF8.GetBytes($"phantom {seed} {name}")));
    private double _spare = double.NaN;

    /// <summary>A number in [0, 1).</summary>
    public double Uniform() => (Next() >> 11) * (1.0 / (1UL << 53));

    /// <summary>A number in [low, high).</summary>
    public double Uniform(double low, double high) => low + ((high - low) * Uniform());

    /// <summary>One of the texts.</summary>
    public T Pick<T>(IReadOnlyList<T> from) => from[(int)(Uniform() * from.Count)];

    /// <summary>A whole number of exactly this many digits, no leading zero.</summary>
    public string Digits(int count)
    {
        Span<char> digits = stackalloc char[count];
        for (int i = 0; i < count; i++)
        {
            digits[i] = (char)('0' + (int)(i == 0 ? Uniform(1, 10) : Uniform(0, 10)));
        }

        return new string(digits);
    }

    /// <summary>A normal deviate of mean 0 and variance 1 (Box and Muller's polar form).</summary>
    public double Normal()
    {
        if (!double.IsNaN(_spare))
        {
            double kept = _spare;
            _spare = double.NaN;
            return kept;
        }

        double u, v, s;
        do
        {
            u = (2 * Uniform()) - 1;
            v = (2 * Uniform()) - 1;
            s = (u * u) + (v * v);
        }
        while (s is >= 1 or 0);

        double factor = Math.Sqrt(-2 * Math.Log(s) / s);
        _spare = v * factor;
        return u * factor;
    }

    /// <summary>The UID of this purpose: the same whenever it is asked for, whatever was drawn before.</summary>
    public string UID(string purpose) =>
        Uid.FromBytes(SHA256.HashData([.. _root, .. Encoding.UTF8.GetBytes(purpose)]).AsSpan(0, 16));

    private ulong Next()
    {
        ulong z = _state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
