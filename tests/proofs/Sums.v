(* Sums over the units of a layer, which the products of vectors are, and their rates of change. *)
From Coq Require Import Reals Lra Lia.
From Coquelicot Require Import Coquelicot.
From Companion Require Import Letters Basics.
Open Scope R_scope.

(* Equal terms have equal sums. *)
Lemma sum_as : forall n f g, (forall k, (k < n)%nat -> f k = g k) -> sum_below n f = sum_below n g.
Proof.
  induction n as [ | n IH]; intros f g E; [reflexivity | simpl].
  rewrite (IH f g); [rewrite E by lia; reflexivity | intros; apply E; lia].
Qed.

(* The rate of a sum is the sum of the rates. *)
Lemma sum_rate : forall n (f : R -> nat -> R) (v : nat -> R) t,
  (forall k, (k < n)%nat -> is_derive (fun t => f t k) t (v k)) ->
  is_derive (fun t => sum_below n (f t)) t (sum_below n v).
Proof.
  induction n as [ | n IH]; intros f v t H; simpl.
  - exact (is_derive_const 0 t).
  - apply (is_derive_plus (fun t => sum_below n (f t)) (fun t => f t n)); [apply IH; intros | ]; apply H; lia.
Qed.

(* A common factor stands before the sum. *)
Lemma sum_scaled : forall n x f, sum_below n (fun k => x * f k) = x * sum_below n f.
Proof. induction n as [ | n IH]; intros x f; simpl; [ring | rewrite IH; ring]. Qed.

(* The sum of two is that of their terms. *)
Lemma sum_plus : forall n f g, sum_below n (fun k => f k + g k) = sum_below n f + sum_below n g.
Proof. induction n as [ | n IH]; intros f g; simpl; [ring | rewrite IH; ring]. Qed.

(* A sum of squares is not negative, *)
Lemma sum_of_squares : forall n f, 0 <= sum_below n (fun k => f k * f k).
Proof.
  induction n as [ | n IH]; intros f; simpl; [lra | ].
  specialize (IH f); generalize (Rle_0_sqr (f n)); unfold Rsqr; lra.
Qed.

(* and where it is zero every term is. *)
Lemma sum_of_squares_zero : forall n f, sum_below n (fun k => f k * f k) = 0 ->
  forall k, (k < n)%nat -> f k = 0.
Proof.
  induction n as [ | n IH]; intros f E k Hk; [lia | simpl in E].
  assert (H := sum_of_squares n f); assert (Hn := Rle_0_sqr (f n)); unfold Rsqr in Hn.
  destruct (Nat.eq_dec k n) as [-> | Hne].
  - apply Rsqr_0_uniq; unfold Rsqr; lra.
  - apply (IH f); [lra | lia].
Qed.

(* The product of two mixtures of vectors p and q, in the three products of these. *)
Lemma sum_mixed : forall n p q w x y z,
  sum_below n (fun k => (w * p k + x * q k) * (y * p k + z * q k))
  = w * y * sum_below n (fun k => p k * p k) + (w * z + x * y) * sum_below n (fun k => p k * q k)
    + x * z * sum_below n (fun k => q k * q k).
Proof. induction n as [ | n IH]; intros p q w x y z; simpl; [ring | rewrite IH; ring]. Qed.

(* The same for vectors that are such mixtures. *)
Lemma sum_of_mixtures : forall n p q f g w x y z,
  (forall k, (k < n)%nat -> f k = w * p k + x * q k) -> (forall k, (k < n)%nat -> g k = y * p k + z * q k) ->
  sum_below n (fun k => f k * g k)
  = w * y * sum_below n (fun k => p k * p k) + (w * z + x * y) * sum_below n (fun k => p k * q k)
    + x * z * sum_below n (fun k => q k * q k).
Proof.
  intros n p q f g w x y z Ef Eg; rewrite <- sum_mixed; apply sum_as.
  intros k Hk; now rewrite Ef, Eg.
Qed.

(* The rate of a product of two numbers. *)
Lemma rate_of_product : forall (f g : R -> R) t v w, is_derive f t v -> is_derive g t w ->
  is_derive (fun t => f t * g t) t (v * g t + f t * w).
Proof. intros f g t v w Hf Hg; auto_derive; [derivable | known_rates; ring]. Qed.

(* The rate of a product of two vectors that each move along given ones at a common speed. *)
Lemma product_rate : forall n (f g : R -> nat -> R) (v w : nat -> R) speed t,
  (forall k, (k < n)%nat -> is_derive (fun t => f t k) t (speed * v k)) ->
  (forall k, (k < n)%nat -> is_derive (fun t => g t k) t (speed * w k)) ->
  is_derive (fun t => sum_below n (fun k => f t k * g t k)) t
    (speed * (sum_below n (fun k => v k * g t k) + sum_below n (fun k => f t k * w k))).
Proof.
  intros n f g v w speed t Hf Hg.
  rewrite <- sum_plus, <- sum_scaled; apply (sum_rate n (fun t k => f t k * g t k)).
  intros k Hk; specialize (Hf k Hk); specialize (Hg k Hk).
  apply (rate_as _ _ _ _ _ (rate_of_product (fun t => f t k) (fun t => g t k) t _ _ Hf Hg)); [reflexivity | ].
  ring.
Qed.

(* What begins at zero, is never negative and grows at most at a rate of K times itself stays zero. *)
Lemma stays_zero : forall (d v : R -> R) K T,
  (forall t, 0 <= t <= T -> is_derive d t (v t)) -> (forall t, 0 <= t <= T -> v t <= K * d t) ->
  d 0 = 0 -> 0 <= T -> d T <= 0.
Proof.
  intros d v K T Hd Hv E0 HT.
  assert (H : - (exp (- K * 0) * d 0) <= - (exp (- K * T) * d T)).
  { apply (rising (fun t => - (exp (- K * t) * d t)) (fun t => exp (- K * t) * (K * d t - v t))); auto.
    - intros t Ht; specialize (Hd t Ht); auto_derive; [derivable | known_rates; ring].
    - intros t Ht; apply Rmult_le_pos; [left; apply exp_pos | specialize (Hv t Ht); lra]. }
  rewrite E0 in H; assert (Hexp := exp_pos (- K * T)).
  apply (Rmult_le_reg_l (exp (- K * T))); lra.
Qed.
